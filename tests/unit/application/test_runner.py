"""Running one attempt: every way in which a handler can end has its outcome, and each outcome its fence."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from jobmill.application.handlers import JobContext, PermanentFailure, RetryAfter, TransientFailure
from jobmill.application.handlers.raising import ProviderAway
from jobmill.domain.failure import FailureKind
from jobmill.domain.states import JobState

from tests.unit.application.bench import Bench, raising, returning, sleeps


async def test_what_a_handler_returns_is_kept_as_json(bench: Bench) -> None:
    row = await bench.runs(returning({"sent": 3}))

    assert (row.state, row.result, row.attempt) == (JobState.SUCCEEDED, '{"sent":3}', 1)
    assert row.lease_until is None
    assert bench.node.keeper.runs == ()


async def test_a_handler_learns_which_attempt_it_is(bench: Bench) -> None:
    seen: list[JobContext] = []

    async def work(_payload: Mapping[str, Any], context: JobContext) -> object:
        seen.append(context)
        return None

    await bench.runs(work, attempt=1, edition=2, correlation_id="c")

    [context] = seen
    assert (context.attempt, context.max_attempts, context.correlation_id) == (2, 3, "c")
    assert context.idempotency_key == f"{context.job_id}:2"
    assert context.deadline == bench.world.clock.now() + timedelta(seconds=60)
    assert not context.cancelled


async def test_any_error_is_retried_and_told_with_its_stack(bench: Bench) -> None:
    row = await bench.runs(raising(ConnectionError("no route")))

    assert (row.state, row.error, row.error_kind) == (
        JobState.RETRYING,
        "ConnectionError: no route",
        FailureKind.TRANSIENT,
    )
    [entry] = bench.world.tables.history[row.id]
    assert entry.failure is not None
    assert entry.failure.stack is not None
    assert "raise error" in entry.failure.stack


async def test_the_last_attempt_that_fails_kills_the_job(bench: Bench) -> None:
    row = await bench.runs(raising(ConnectionError("no route")), attempt=2)

    assert (row.state, row.attempt) == (JobState.FAILED, 3)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TransientFailure("the provider is busy"), "the provider is busy"),
        (ValueError(), "ValueError"),
        (SystemExit(3), "SystemExit: 3"),
        (ExceptionGroup("many", [ValueError("a")]), "ExceptionGroup: many (1 sub-exception)"),
        (BaseExceptionGroup("all", [SystemExit(1)]), "BaseExceptionGroup: all (1 sub-exception)"),
    ],
)
async def test_errors_of_every_kind_are_failures_of_the_attempt(
    bench: Bench, error: BaseException, told: str
) -> None:
    row = await bench.runs(raising(error))

    assert (row.state, row.error, row.error_kind) == (JobState.RETRYING, told, FailureKind.TRANSIENT)


async def test_an_error_that_cannot_even_be_told_is_one_too(bench: Bench) -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    row = await bench.runs(raising(Unspeakable()))

    assert (row.state, row.error) == (JobState.RETRYING, "Unspeakable")


async def test_of_a_deep_stack_the_innermost_frames_are_told(bench: Bench) -> None:
    def sink(depth: int) -> None:
        if depth == 0:
            the_bottom_of_it()
        sink(depth - 1)

    def the_bottom_of_it() -> None:
        raise ValueError("here")

    async def work(_payload: Mapping[str, Any], _context: JobContext) -> object:
        sink(200)
        return None

    row = await bench.runs(work)

    failure = bench.world.tables.history[row.id][0].failure
    assert failure is not None
    assert failure.stack is not None
    assert "the_bottom_of_it()" in failure.stack


async def test_a_permanent_failure_is_not_tried_again(bench: Bench) -> None:
    row = await bench.runs(raising(PermanentFailure("no such account")))

    assert (row.state, row.error, row.error_kind) == (
        JobState.FAILED,
        "no such account",
        FailureKind.PERMANENT,
    )


async def test_a_payload_that_this_code_cannot_read_is_permanent(bench: Bench) -> None:
    row = await bench.runs(sleeps, payload="[1]")

    assert (row.state, row.error_kind) == (JobState.FAILED, FailureKind.PERMANENT)


@pytest.mark.parametrize("value", [object(), "x" * 10_239, {1: object()}])
async def test_a_result_that_cannot_be_kept_is_permanent(bench: Bench, value: object) -> None:
    """Trying again would do the work twice and end the same."""
    row = await bench.runs(returning(value))

    assert (row.state, row.error_kind) == (JobState.FAILED, FailureKind.PERMANENT)


async def test_a_handler_may_choose_when_it_is_tried_again(bench: Bench) -> None:
    row = await bench.runs(raising(RetryAfter(timedelta(minutes=7), "the provider said so")))

    assert (row.state, row.attempt, row.postpones) == (JobState.RETRYING, 1, 0)
    assert row.retry_at == bench.world.clock.now() + timedelta(minutes=7)


async def test_a_handler_may_give_its_attempt_back(bench: Bench) -> None:
    row = await bench.runs(raising(RetryAfter(timedelta(minutes=7), "maintenance", counts=False)))

    assert (row.state, row.attempt, row.postpones) == (JobState.RETRYING, 0, 1)
    assert row.retry_at == bench.world.clock.now() + timedelta(minutes=7)


async def test_the_hundred_and_first_time_the_attempt_counts(bench: Bench) -> None:
    row = await bench.runs(raising(RetryAfter(timedelta(0), "again", counts=False)), postpones=100)

    assert (row.attempt, row.postpones) == (1, 100)


async def test_a_wait_for_providers_that_are_away_never_counts(bench: Bench) -> None:
    row = await bench.runs(raising(ProviderAway(timedelta(minutes=1), "all are shut")), postpones=100)

    assert (row.state, row.attempt, row.postpones) == (JobState.RETRYING, 0, 100)
    assert (row.error, row.error_kind) == ("all are shut", FailureKind.RETRY_AFTER)
