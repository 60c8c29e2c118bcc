"""Attempts that are stopped, and outcomes that meet a lost lease or a store in trouble."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.handlers import JobContext, RetryAfter
from jobmill.application.run import Interrupt
from jobmill.application.runner import SETTLE_WITHIN_S
from jobmill.domain.failure import FailureKind
from jobmill.domain.states import JobState

from tests.nodes import LEASE
from tests.unit.application.bench import Bench, deaf_for, sleeps, works_off


async def test_a_handler_that_takes_too_long_is_stopped(bench: Bench) -> None:
    row = await bench.runs(sleeps, timeout=timedelta(seconds=12))

    assert asyncio.get_running_loop().time() == 12
    assert (row.state, row.error_kind) == (JobState.RETRYING, FailureKind.TIMEOUT)
    assert row.error == "took longer than its timeout of 12 s"


async def test_a_handler_that_fails_on_its_way_out_of_a_timeout_has_timed_out(bench: Bench) -> None:
    row = await bench.runs(deaf_for(1, ValueError("closing")), timeout=timedelta(seconds=12))

    assert row.error_kind is FailureKind.TIMEOUT


async def test_a_handler_that_swallows_its_timeout_and_finishes_has_succeeded(bench: Bench) -> None:
    row = await bench.runs(deaf_for(3), timeout=timedelta(seconds=12))

    assert (row.state, row.result) == (JobState.SUCCEEDED, '"late"')


async def test_a_handler_that_cancels_what_it_awaits_has_failed(bench: Bench) -> None:
    async def work(_payload: Mapping[str, Any], _context: JobContext) -> object:
        inner = asyncio.ensure_future(asyncio.sleep(1))
        inner.cancel()
        await inner
        return None

    row = await bench.runs(work)

    assert (row.state, row.error) == (JobState.RETRYING, "the handler cancelled itself")


async def test_a_handler_that_cancels_its_task_and_returns_leaves_nothing_behind(bench: Bench) -> None:
    async def work(_payload: Mapping[str, Any], _context: JobContext) -> object:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return "done all the same"

    row = await bench.runs(work)

    assert (row.state, row.result) == (JobState.SUCCEEDED, '"done all the same"')


async def test_a_cancellation_from_outside_is_no_outcome(bench: Bench) -> None:
    """The process is torn down; the lease decides."""
    run, task = await bench.begins(sleeps)
    assert run.task is not None

    run.task.cancel()
    await task

    assert bench.world.job(run.job).state is JobState.PROCESSING
    assert bench.node.keeper.runs == ()


async def test_a_handler_that_was_asked_to_stop_and_stops_is_cancelled(bench: Bench) -> None:
    run, task = await bench.begins(sleeps)
    await bench.world.client.operator.cancel(run.job.id)
    await task

    assert bench.world.job(run.job).state is JobState.CANCELLED


async def test_a_handler_sees_that_it_is_asked_to_stop(bench: Bench) -> None:
    seen: list[bool] = []

    async def work(_payload: Mapping[str, Any], context: JobContext) -> object:
        try:
            await asyncio.sleep(1_000)
        finally:
            seen.append(context.cancelled)
        return None

    run, task = await bench.begins(work)
    await bench.world.client.operator.cancel(run.job.id)
    await task

    assert seen == [True]


async def test_a_handler_that_was_asked_to_stop_and_succeeds_has_succeeded(bench: Bench) -> None:
    run, task = await bench.begins(deaf_for(1))
    await bench.world.client.operator.cancel(run.job.id)
    await task

    assert bench.world.job(run.job).state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    "error", [ValueError("x"), RetryAfter(timedelta(0), "x"), RetryAfter(timedelta(0), "x", counts=False)]
)
async def test_a_handler_that_was_asked_to_stop_and_fails_is_not_tried_again(
    bench: Bench, error: Exception
) -> None:
    run, task = await bench.begins(deaf_for(1, error))
    await bench.world.client.operator.cancel(run.job.id)
    await task

    assert bench.world.job(run.job).state is JobState.CANCELLED


async def test_a_stop_request_that_crosses_a_failure_still_cancels(bench: Bench) -> None:
    async def work(_payload: Mapping[str, Any], context: JobContext) -> object:
        await bench.world.client.operator.cancel(context.job_id)
        raise ValueError("at the same moment")

    row = await bench.runs(work)

    assert row.state is JobState.CANCELLED


async def test_a_shutdown_gives_the_attempt_back_at_once(bench: Bench) -> None:
    run, task = await bench.begins(sleeps)

    run.stop(Interrupt.SHUTDOWN)
    await task

    row = bench.world.job(run.job)
    assert (row.state, row.attempt, row.postpones) == (JobState.QUEUED, 0, 1)


async def test_a_claimed_job_that_is_stopped_before_it_begins_gives_the_attempt_back(bench: Bench) -> None:
    run = await bench.claims()

    run.stop(Interrupt.SHUTDOWN)
    await works_off(bench.node, run)

    row = bench.world.job(run.job)
    assert (row.state, row.attempt) == (JobState.QUEUED, 0)
    assert bench.world.runs == []


async def test_a_claim_that_was_answered_too_late_does_not_begin(bench: Bench) -> None:
    run = await bench.claims()
    await bench.world.passes(14)

    await works_off(bench.node, run)

    assert bench.world.runs == []
    assert bench.world.job(run.job).state is JobState.QUEUED


async def test_with_the_lease_the_outcome_is_dropped(bench: Bench) -> None:
    run, task = await bench.begins(sleeps)

    run.stop(Interrupt.LEASE_LOST)
    await task

    assert bench.world.job(run.job) == run.job
    assert "outcome dropped with the lease" in bench.node.notes.names


async def test_a_stale_outcome_does_not_overwrite_what_came_after(bench: Bench) -> None:
    run, task = await bench.begins(deaf_for(1))
    row = bench.world.job(run.job)
    bench.world.tables.jobs[row.id] = newer = evolve(row, version=row.version + 2, stamp=5, attempt=2)

    run.stop(Interrupt.TIMEOUT)
    await task

    assert bench.world.job(run.job) == newer
    assert "outcome refused" in bench.node.notes.names


async def test_an_outcome_in_doubt_is_saved_once(bench: Bench) -> None:
    run, task = await bench.begins(deaf_for(0))
    errors = [StorageUnknown("cut off"), StorageUnknown("cut off")]

    def in_doubt(moment: str) -> None:
        if moment == "after jobs.save" and errors:
            raise errors.pop()

    bench.node.cable.trouble = in_doubt
    run.stop(Interrupt.TIMEOUT)
    await task

    assert bench.world.job(run.job).version == run.job.version + 1
    assert bench.world.job(run.job).state is JobState.SUCCEEDED


async def test_an_outcome_is_offered_for_a_minute_and_the_lease_is_kept_meanwhile(bench: Bench) -> None:
    run, task = await bench.begins(deaf_for(0))

    def saves_fail(moment: str) -> None:
        if moment == "before jobs.save":
            raise StorageUnavailable("away")

    bench.node.cable.trouble = saves_fail
    run.stop(Interrupt.TIMEOUT)
    await bench.world.passes(SETTLE_WITHIN_S - 10)
    row = bench.world.job(run.job)
    assert row.lease_until is not None
    assert row.lease_until > bench.world.clock.now()

    await task
    assert "outcome not saved" in bench.node.notes.names
    assert bench.world.job(run.job).state is JobState.PROCESSING
    assert LEASE.ttl < timedelta(seconds=SETTLE_WITHIN_S)


async def test_an_outcome_that_stays_in_doubt_is_told_of(bench: Bench) -> None:
    run, task = await bench.begins(deaf_for(0))

    def in_doubt(moment: str) -> None:
        if moment == "before jobs.save":
            raise StorageUnknown("cut off")

    bench.node.cable.trouble = in_doubt
    run.stop(Interrupt.TIMEOUT)
    await task

    assert "outcome not known to be saved" in bench.node.notes.names


async def test_a_cancellation_while_others_are_asked_about_the_payload_is_no_outcome(bench: Bench) -> None:
    """The handler has not begun, so the run does not know yet which task it is in."""

    class Silent:
        async def look(self) -> bool:
            return await asyncio.Future()

    silent: Any = Silent()
    performer: Any = evolve(bench.node.runner.performer, types=silent)
    run = await bench.claims(payload="[]")
    task = asyncio.create_task(performer.perform(run, lambda _run: None))
    await bench.world.turns()
    assert not task.done()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
