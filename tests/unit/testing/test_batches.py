"""Batches with a callback, in a whole mill: it runs once, after all others, whatever happens to whom."""

from datetime import timedelta

import pytest

from jobmill import IdempotencyConflict, IllegalTransition, InvalidInput, JobNotFound, JobState, Submission
from jobmill.testing import SyncVirtualMill, VirtualMill, virtually

from tests.unit.testing.chain_jobs import Nothing, Part, make, use

DONE = Submission(use, Nothing())


def parts(*, good: int = 2, bad: int = 0) -> list[Submission[Part]]:
    return [Submission(make, Part(at, breaks=at >= good)) for at in range(good + bad)]


def numbers(*, size: int, succeeded: int = 0, failed: int = 0, cancelled: int = 0) -> dict[str, int]:
    ends = {"succeeded": succeeded, "failed": failed, "expired": 0, "cancelled": cancelled, "discarded": 0}
    return {"size": size, **ends, "gone": 0}


async def test_the_callback_runs_when_all_others_have_ended_and_learns_how(mill: VirtualMill) -> None:
    batch = await mill.submit_batch(parts(good=2, bad=1), callback=DONE)
    assert [job.batch for job in (*batch.jobs, batch.callback)] == [batch.id] * 4
    assert batch.callback.status is JobState.SCHEDULED

    await mill.run_until_idle()

    told = (await mill.get(batch.callback)).result["got"]
    assert told == {"batch": str(batch.id), **numbers(size=3, succeeded=2, failed=1)}


async def test_the_callback_waits_for_the_last(mill: VirtualMill) -> None:
    late = Submission(make, Part(), options={"delay": timedelta(minutes=1)})
    batch = await mill.submit_batch([*parts(), late], callback=DONE)
    await mill.advance(timedelta(seconds=30))
    report = await mill.batch(batch)
    assert (report.size, report.unfinished, report.succeeded, report.is_over) == (3, 1, 2, False)
    assert report.callback.status is JobState.SCHEDULED

    await mill.advance(timedelta(minutes=2))

    report = await mill.batch(str(batch.id))
    assert (report.unfinished, report.succeeded, report.is_over) == (0, 3, True)
    assert report.callback.status is JobState.SUCCEEDED


async def test_a_batch_of_one_is_a_batch(mill: VirtualMill) -> None:
    batch = await mill.submit_batch(parts(good=1), callback=DONE)

    await mill.run_until_idle()

    assert (await mill.get(batch.callback)).result["got"]["succeeded"] == 1


async def test_a_requeued_dead_letter_does_not_bring_the_callback_again(mill: VirtualMill) -> None:
    batch = await mill.submit_batch(parts(good=1, bad=1), callback=DONE)
    await mill.run_until_idle()
    ran = await mill.get(batch.callback)

    await mill.requeue(batch.jobs[1], payload={"number": 1})
    await mill.run_until_idle()

    assert await mill.get(batch.callback) == ran
    assert (await mill.batch(batch)).succeeded == 2


async def test_a_dead_letter_that_is_requeued_in_time_is_waited_for(mill: VirtualMill) -> None:
    late = Submission(make, Part(), options={"delay": timedelta(minutes=1)})
    batch = await mill.submit_batch([*parts(good=0, bad=1), late], callback=DONE)
    await mill.run_until_idle()

    await mill.requeue(batch.jobs[0], payload={"number": 1})
    await mill.advance(timedelta(minutes=2))

    got = (await mill.get(batch.callback)).result["got"]
    assert got == {"batch": str(batch.id), **numbers(size=2, succeeded=2)}


async def test_the_jobs_of_a_batch_may_follow_each_other(mill: VirtualMill) -> None:
    after = Submission(use, Nothing(), options={"follows": 0})
    batch = await mill.submit_batch([*parts(good=0, bad=1), after], callback=DONE)

    await mill.run_until_idle()

    got = (await mill.get(batch.callback)).result["got"]
    assert got == {"batch": str(batch.id), **numbers(size=2, failed=1, cancelled=1)}


async def test_a_job_may_follow_a_callback(mill: VirtualMill) -> None:
    batch = await mill.submit_batch(parts(), callback=DONE)
    last = await mill.submit(use, Nothing(), follows=batch.callback)

    await mill.run_until_idle()

    assert (await mill.get(last)).result["got"]["got"]["succeeded"] == 2


async def test_a_cancelled_callback_runs_only_if_it_is_called_back_when_all_is_over(
    mill: VirtualMill,
) -> None:
    late = Submission(make, Part(), options={"delay": timedelta(minutes=1)})
    batch = await mill.submit_batch([late], callback=DONE)
    await mill.cancel(batch.callback)
    with pytest.raises(IllegalTransition):
        await mill.requeue(batch.callback)
    await mill.advance(timedelta(minutes=2))
    assert (await mill.get(batch.callback)).status is JobState.CANCELLED

    await mill.requeue(batch.callback)
    await mill.run_until_idle()

    assert (await mill.get(batch.callback)).result["got"]["succeeded"] == 1


@pytest.mark.parametrize("seed", range(5))
@virtually
async def test_it_runs_once_whoever_dies_and_whatever_comes_twice(seed: int) -> None:
    async with VirtualMill(seed=seed) as mill:
        mill.deliver_twice()
        mill.crash(make, after="claim")
        mill.crash(make, after="commit", attempt=2)
        mill.crash(use, after="effect")
        batch = await mill.submit_batch(parts(good=6, bad=2), callback=DONE)

        await mill.run_until_idle()

        got = (await mill.get(batch.callback)).result["got"]
        assert got == {"batch": str(batch.id), **numbers(size=8, succeeded=6, failed=2)}
        assert len([line for line in mill.trace if "released" in line]) == 1


async def test_the_same_batch_under_the_same_keys_is_the_same_batch(mill: VirtualMill) -> None:
    def keyed(number: int, key: str) -> Submission[Part]:
        return Submission(make, Part(number), options={"idempotency_key": key})

    done = Submission(use, Nothing(), options={"idempotency_key": "done"})
    first = await mill.submit_batch([keyed(1, "a"), keyed(2, "b")], callback=done)

    again = await mill.submit_batch([keyed(1, "a"), keyed(2, "b")], callback=done)

    assert again.id == first.id
    assert [job.id for job in again.jobs] == [job.id for job in first.jobs]
    assert again.callback.replayed
    with pytest.raises(IdempotencyConflict):
        await mill.submit_batch([keyed(1, "a"), keyed(3, "c")], callback=done)
    other = Submission(use, Nothing(), options={"idempotency_key": "other"})
    await mill.submit_batch([keyed(4, "d")], callback=other)
    with pytest.raises(IdempotencyConflict):
        await mill.submit_batch([keyed(4, "d")], callback=done)


async def test_what_is_wrong_with_a_batch_is_told_with_its_place(mill: VirtualMill) -> None:
    await mill.submit_batch(parts(), callback=DONE)  # by which the mill knows the types
    with pytest.raises(InvalidInput) as caught:
        await mill.submit_batch(
            [Submission("part.make", {"number": "x"})],
            callback=Submission("part.use", {}, options={"follows": 0, "max_attempts": 0}),
        )

    places = [place for place, _ in caught.value.errors]
    assert places == ["/0/payload/number", "/callback/follows"]
    with pytest.raises(InvalidInput) as caught:
        await mill.submit_batch([], callback=DONE)
    assert caught.value.errors == [("", "a batch holds 1 to 1,000 jobs, not 0")]


async def test_a_job_is_no_batch(mill: VirtualMill) -> None:
    job = await mill.submit(make, Part())

    with pytest.raises(JobNotFound):
        await mill.batch(job.id)


def test_a_mill_without_await_has_batches_as_well() -> None:
    with SyncVirtualMill() as mill:
        batch = mill.submit_batch(parts(), callback=DONE)
        mill.run_until_idle()

        assert mill.batch(batch).succeeded == 2
        assert mill.get(batch.callback).succeeded
