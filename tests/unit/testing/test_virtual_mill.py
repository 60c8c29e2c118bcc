"""A whole mill in virtual time: the verbs of a client, and the passing of time."""

import asyncio
from datetime import timedelta

import pytest

from jobmill import JobContext, JobHandlers
from jobmill.application.client import Submission
from jobmill.application.errors import JobNotFound, UnknownType
from jobmill.application.handlers import HandlerFault
from jobmill.application.relay import Relay
from jobmill.domain.states import JobState
from jobmill.entrypoints.engine import EngineFailed
from jobmill.testing import MillEnded, StillOpen, VirtualMill, run_virtually, virtually

from tests.builders import HOUR, MINUTE, SECOND, an_id
from tests.unit.testing import shop
from tests.unit.testing.shop import HANDLING_S, Number, double, handlers, of, refused, slow


async def test_a_type_is_learned_from_whoever_names_it(mill: VirtualMill) -> None:
    job = await mill.submit(double, Number(4))

    await mill.run_until_idle()

    assert (await mill.job(job)).result == 8


@virtually
async def test_the_types_of_given_collections_are_known_by_name() -> None:
    async with VirtualMill(handlers) as mill:
        job = await mill.wait(await mill.submit("number.double", {"number": 4}))

    assert job.result == 8


async def test_a_type_that_nobody_gave_is_unknown(mill: VirtualMill) -> None:
    with pytest.raises(UnknownType, match=r"number\.double"):
        await mill.submit("number.double", {"number": 4})


async def test_another_type_of_the_same_name_is_refused(mill: VirtualMill) -> None:
    await mill.submit(double, Number())

    def another(number: Number) -> int:
        return number.number

    with pytest.raises(HandlerFault, match="rename one"):
        await mill.submit(JobHandlers().register("number.double")(another), Number())


async def test_a_queue_that_comes_later_gets_its_workers(mill: VirtualMill) -> None:
    await mill.submit(double, Number())
    await mill.run_until_idle()

    late = await mill.submit(refused, Number())
    await mill.run_until_idle()

    mill.expect(late).failed(reason="nobody wants 0", attempts=2)


async def test_what_runs_when_a_queue_comes_runs_to_its_end(mill: VirtualMill) -> None:
    running = await mill.submit(slow, Number(1))
    await mill.advance(SECOND)

    await mill.submit(refused, Number())
    await mill.run_until_idle()

    mill.expect(running).succeeded(attempts=1)


async def test_several_jobs_are_submitted_at_once_and_listed(mill: VirtualMill) -> None:
    jobs = await mill.submit_many([Submission(double, Number(n)) for n in range(3)])
    await mill.run_until_idle()

    assert [job.result for job in await mill.list(type=double)] == [4, 2, 0]
    assert [job.status for job in jobs] == [JobState.QUEUED] * 3


async def test_code_that_takes_a_client_is_given_one(mill: VirtualMill) -> None:
    job = await mill.client.submit(double, Number(5))

    assert (await mill.client.wait(job)).result == 10


async def test_a_handler_may_submit_through_the_client(mill: VirtualMill) -> None:
    async def work(number: Number, _job: JobContext) -> None:
        await mill.client.submit(double, number)

    await mill.submit(of(work), Number(6))
    await mill.run_until_idle()

    mill.expect_all(double).succeeded(result=12)


async def test_a_waiting_job_is_cancelled_and_requeued(mill: VirtualMill) -> None:
    job = await mill.submit(double, Number(1), delay=HOUR)
    await mill.cancel(job)
    mill.expect(job).cancelled()

    await mill.requeue(job, payload={"number": 3})
    await mill.run_until_idle()

    mill.expect(job).succeeded(result=6)


async def test_a_job_that_is_not_there_is_not_found(mill: VirtualMill) -> None:
    with pytest.raises(JobNotFound):
        await mill.job(an_id())


async def test_time_passes_as_far_as_the_test_says(mill: VirtualMill) -> None:
    before = mill.now

    await mill.advance(90 * SECOND)

    assert mill.now - before == 90 * SECOND


async def test_what_is_due_at_the_last_moment_has_happened(mill: VirtualMill) -> None:
    job = await mill.submit(slow, Number(1))

    await mill.advance(timedelta(seconds=HANDLING_S) - SECOND)
    assert (await mill.job(job)).status is JobState.PROCESSING
    await mill.advance(SECOND)

    mill.expect(job).succeeded()


async def test_a_job_for_later_waits_for_its_time(mill: VirtualMill) -> None:
    job = await mill.submit(double, Number(1), delay=HOUR)

    await mill.run_until_idle()
    mill.expect(job).waits(attempts=0)
    await mill.advance(HOUR + SECOND)

    mill.expect(job).succeeded()


async def test_a_retry_within_reach_is_waited_for_and_one_beyond_is_not(mill: VirtualMill) -> None:
    started = mill.now
    job = await mill.submit(refused, Number(1))

    await mill.run_until_idle(within=SECOND)
    mill.expect(job).waits(attempts=1)
    await mill.run_until_idle()

    mill.expect(job).failed(attempts=2)
    assert 2 * SECOND <= mill.now - started < 5 * SECOND


async def test_what_does_not_end_is_told_with_its_course(mill: VirtualMill) -> None:
    await mill.submit(slow, Number(1))

    with pytest.raises(
        StillOpen, match=r"(?s)1 of the jobs .* 0:00:05:\n.* processing\n.*started, attempt 1"
    ):
        await mill.run_until_idle(within=5 * SECOND)


async def test_an_idle_mill_is_idle_at_once(mill: VirtualMill) -> None:
    started = mill.now

    await mill.run_until_idle()

    assert mill.now == started


async def test_a_plain_function_runs_and_fails_as_in_a_thread(mill: VirtualMill) -> None:
    def work(number: Number, job: JobContext) -> str:
        if job.attempt == 1:
            raise OSError("not yet")
        return job.idempotency_key

    job = await mill.submit(of(work), Number())  # type: ignore[arg-type]
    await mill.run_until_idle()

    mill.expect(job).succeeded(attempts=2, result=str(job.id))


async def _course(seed: int) -> tuple[str, ...]:
    async with VirtualMill(handlers, seed=seed) as mill:
        mill.crash(slow, after="effect")
        mill.deliver_twice(refused)
        for number in range(5):
            await mill.submit(slow, Number(number))
            await mill.submit(refused, Number(number))
        await mill.run_until_idle()
        return mill.trace


def test_the_same_seed_takes_the_same_course() -> None:
    assert run_virtually(_course(7)) == run_virtually(_course(7))


def test_another_seed_takes_another_course() -> None:
    assert run_virtually(_course(7)) != run_virtually(_course(8))


@virtually
async def test_the_end_leaves_no_task_behind() -> None:
    before = asyncio.all_tasks()
    async with VirtualMill(handlers) as mill:
        mill.crash(slow, after="claim")
        await mill.submit(slow, Number())
        await mill.advance(MINUTE)
        await mill.submit(slow, Number())
        await mill.submit(refused, Number())
        await mill.advance(SECOND)
        assert len(mill._world.broker.ladder) == 1

    assert asyncio.all_tasks() == before
    assert len(mill._world.broker.ladder) == 0


@virtually
async def test_a_mill_that_has_ended_is_not_used_again() -> None:
    async with VirtualMill() as mill:
        await mill.submit(double, Number())

    with pytest.raises(MillEnded, match="make another"):
        await mill.advance(SECOND)


def test_a_mill_stays_on_its_loop() -> None:
    mill = VirtualMill(shop.handlers)
    run_virtually(mill.advance(SECOND))

    with pytest.raises(MillEnded, match="another event loop"):
        run_virtually(mill.advance(SECOND))


@virtually
async def test_a_service_that_ends_by_itself_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_relay: Relay) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Relay, "run", broken)
    mill = VirtualMill()
    await mill.advance(SECOND)

    with pytest.raises(EngineFailed, match="ZeroDivisionError"):
        await mill.finish()


SEEN: set[object] = set()


@pytest.mark.parametrize("turn", [1, 2])
async def test_the_jobs_of_each_test_have_ids_of_their_own(mill: VirtualMill, turn: int) -> None:
    job = await mill.submit(double, Number())

    assert job.id not in SEEN
    SEEN.add(job.id)
