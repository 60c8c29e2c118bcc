"""Handlers that take many jobs: who shares a call, and what comes of each job."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from jobmill.application.handlers import HandlerFault, PermanentFailure, RetryAfter
from jobmill.domain.errors import InvalidInput
from jobmill.domain.failure import FailureKind
from jobmill.domain.states import JobState

from tests.builders import SECOND
from tests.unit.application.batching import Jobs, Press, all_succeed, press_in
from tests.world import World


@pytest.fixture
async def press(world: World) -> Press:
    """A call has up to four jobs, and its first one waits a tenth of a second."""
    return press_in(world)


async def test_a_call_begins_when_it_is_full(press: Press) -> None:
    rows = await press.runs(all_succeed, *[{}] * 4, within_s=0.05)

    assert press.sizes == [4]
    assert [row.state for row in rows] == [JobState.SUCCEEDED] * 4
    assert rows[0].result == "4"


async def test_a_call_that_is_not_full_begins_when_its_first_job_has_waited(press: Press) -> None:
    press.works[:] = [all_succeed]
    await press.submits({})
    await press.world.passes(0.06)
    await press.submits({})
    await press.world.passes(0.06)

    assert press.sizes == [2]
    assert press.calls[0].at_s == pytest.approx(0.1, abs=0.02)


async def test_more_jobs_than_a_call_takes_make_several_at_once(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        await asyncio.sleep(5)
        await all_succeed(jobs)

    rows = await press.runs(work, *[{}] * 9, within_s=5.5)

    assert press.sizes == [4, 4, 1]
    assert {row.state for row in rows} == {JobState.SUCCEEDED}


async def test_no_more_jobs_come_together_than_there_are_slots(world: World) -> None:
    press = press_in(world, concurrency=2)

    await press.runs(all_succeed, *[{}] * 4)

    assert press.sizes == [2, 2]


async def test_a_wait_of_nothing_takes_what_is_there(world: World) -> None:
    press = press_in(world, wait=timedelta(0))
    started_s = asyncio.get_running_loop().time()

    [row] = await press.runs(all_succeed, {})

    assert press.calls[0].at_s < started_s + 0.05
    assert row.state is JobState.SUCCEEDED


async def test_each_job_has_the_outcome_that_was_named_for_it(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        good, bad, busy, other = jobs
        good.succeed({"id": 7})
        bad.fail(PermanentFailure("no such device"))
        busy.fail(RetryAfter(9 * SECOND, "busy", counts=False))
        other.fail("not this time")

    good, bad, busy, other = await press.runs(work, *[{}] * 4)

    assert (good.state, good.result) == (JobState.SUCCEEDED, '{"id":7}')
    assert (bad.state, bad.error) == (JobState.FAILED, "no such device")
    assert (busy.state, busy.attempt) == (JobState.RETRYING, 0)
    assert (other.state, other.error_kind, other.error) == (
        JobState.RETRYING,
        FailureKind.TRANSIENT,
        "not this time",
    )


async def test_a_job_of_which_nothing_was_said_is_tried_again(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        jobs[0].succeed()

    said, unsaid = await press.runs(work, {}, {})

    assert said.state is JobState.SUCCEEDED
    assert (unsaid.state, unsaid.error_kind) == (JobState.RETRYING, FailureKind.TRANSIENT)
    assert unsaid.error == "the batch handler said nothing of this job: call its succeed() or fail()"


@pytest.mark.parametrize(
    ("error", "state", "told"),
    [
        (ConnectionError("gone"), JobState.RETRYING, "ConnectionError: gone"),
        (PermanentFailure("gone"), JobState.FAILED, "gone"),
        (RetryAfter(9 * SECOND, "busy"), JobState.RETRYING, "busy"),
        (SystemExit(3), JobState.RETRYING, "SystemExit: 3"),
        (asyncio.CancelledError(), JobState.RETRYING, "the handler cancelled itself"),
    ],
)
async def test_an_error_of_the_call_is_that_of_all_jobs_without_an_outcome(
    press: Press, error: BaseException, state: JobState, told: str
) -> None:
    async def work(jobs: Jobs) -> None:
        jobs[0].succeed()
        raise error

    said, *others = await press.runs(work, {}, {}, {})

    assert said.state is JobState.SUCCEEDED
    assert [(other.state, other.error) for other in others] == [(state, told)] * 2


async def test_the_last_word_on_a_job_counts(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        jobs[0].fail("not yet")
        jobs[0].succeed("now")

    [row] = await press.runs(work, {})

    assert (row.state, row.result) == (JobState.SUCCEEDED, '"now"')


async def test_a_word_after_the_end_is_refused_and_changes_nothing(press: Press) -> None:
    [row] = await press.runs(all_succeed, {})

    with pytest.raises(HandlerFault, match="its batch handler has ended"):
        press.calls[0].jobs[0].fail("too late")

    assert press.world.job(row).state is JobState.SUCCEEDED


async def test_what_is_no_error_is_refused(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        with pytest.raises(InvalidInput, match="must be a text or an exception"):
            jobs[0].fail(404)  # type: ignore[arg-type]
        jobs[0].succeed("caught")

    [row] = await press.runs(work, {})

    assert row.result == '"caught"'


async def test_a_result_that_is_no_json_fails_its_own_job_alone(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        jobs[0].succeed(object())
        jobs[1].succeed()

    bad, good = await press.runs(work, {}, {})

    assert (bad.state, bad.error_kind) == (JobState.FAILED, FailureKind.PERMANENT)
    assert good.state is JobState.SUCCEEDED


async def test_a_payload_that_cannot_be_read_fails_alone_and_before_the_call(world: World) -> None:
    press = press_in(world, version=2, upcasters={1: _needs_text})
    press.works[:] = [all_succeed]
    good = await press.announces(payload_version=1, payload='{"text":"a"}')
    bad = await press.announces(payload_version=1, payload="{}")
    await world.passes(0.5)

    assert press.sizes == [1]
    assert world.job(good).state is JobState.SUCCEEDED
    assert world.job(bad).state is JobState.FAILED


async def test_each_job_knows_itself(press: Press) -> None:
    seen: list[tuple[Any, ...]] = []

    async def work(jobs: Jobs) -> None:
        seen.extend((job.payload, job.job_id, job.type, job.attempt, job.cancelled) for job in jobs)
        jobs[0].progress(0.5, "half")
        await asyncio.sleep(3)
        await all_succeed(jobs)

    one, two = await press.runs(work, {"n": 1}, {"n": 2}, within_s=5)

    assert seen == [({"n": 1}, one.id, "print", 1, False), ({"n": 2}, two.id, "print", 1, False)]
    assert {job.idempotency_key for job in press.calls[0].jobs} == {one.handler_key, two.handler_key}


async def test_there_is_no_transaction_for_one_of_many_jobs(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        jobs[0].transaction()

    [row] = await press.runs(work, {})

    assert row.error is not None
    assert "declare the handler of 'print' by 'register'" in row.error


async def test_a_suspect_runs_alone(press: Press) -> None:
    press.works[:] = [all_succeed]
    one = await press.announces()
    suspect = await press.announces(suspect=True, attempt=1)
    two = await press.announces()
    await press.world.passes(0.5)

    shared = {frozenset(job.job_id for job in call.jobs) for call in press.calls}
    assert shared == {frozenset({suspect.id}), frozenset({one.id, two.id})}


@pytest.mark.parametrize("first_s", [None, 0.1])
async def test_a_batch_handler_that_blocks_the_loop_is_named(press: Press, first_s: float | None) -> None:
    loop = asyncio.get_running_loop()

    async def work(jobs: Jobs) -> None:
        if first_s is not None:
            await asyncio.sleep(first_s)
        loop.jump(3.0)  # type: ignore[attr-defined]
        await all_succeed(jobs)

    await press.runs(work, {}, {})

    [fields] = [f for event, f in press.node.notes.events if event == "handler blocked the loop"]
    assert (fields["type"], fields["jobs"], fields["seconds"]) == ("print", 2, 3.0)


async def test_jobs_that_gather_hold_up_no_others(world: World) -> None:
    press = press_in(world, wait=9 * SECOND)
    press.works[:] = [all_succeed]
    await press.submits({})
    await world.passes(1)

    await press.submits({}, {}, {})
    await world.passes(0.05)

    assert press.sizes == [4]


def _needs_text(payload: dict[str, Any]) -> dict[str, Any]:
    return {"text": payload["text"]}
