"""When a failed attempt is tried again."""

from datetime import timedelta
from typing import Any

import pytest

from jobmill.domain.errors import InvalidInput
from jobmill.domain.failure import FailureKind
from jobmill.domain.retry_policy import GiveUp, RetryIn, RetryPolicy

from tests.builders import DAY, HOUR, MINUTE, SECOND, STEADY, a_failure


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (100, 60)])
def test_delays_double_up_to_the_cap(attempt: int, seconds: int) -> None:
    assert STEADY.delay_after(attempt, fraction=0.5) == timedelta(seconds=seconds)


def test_jitter_adds_up_to_a_tenth_and_never_takes_away() -> None:
    policy = RetryPolicy()

    assert policy.delay_after(1, fraction=0.0) == 2 * SECOND
    assert policy.delay_after(1, fraction=0.5) == 2.1 * SECOND
    assert policy.delay_after(100, fraction=0.5) == 63 * SECOND


def test_without_growth_every_delay_is_the_base() -> None:
    policy = RetryPolicy(base=5 * SECOND, factor=1.0, jitter=0.0)

    assert {policy.delay_after(n, fraction=0.9) for n in (1, 2, 50)} == {5 * SECOND}


def test_the_largest_policy_is_bounded_too() -> None:
    policy = RetryPolicy(base=30 * DAY, factor=100.0, cap=30 * DAY, jitter=1.0)

    assert policy.delay_after(100, fraction=0.5) == 45 * DAY


def test_attempts_left_are_used() -> None:
    assert STEADY.decide(a_failure(), attempt=2, max_attempts=3, fraction=0.0) == RetryIn(delay=4 * SECOND)


@pytest.mark.parametrize("attempt", [3, 4])
def test_attempts_spent_are_the_end(attempt: int) -> None:
    assert STEADY.decide(a_failure(), attempt=attempt, max_attempts=3, fraction=0.0) == GiveUp()


@pytest.mark.parametrize(
    ("kind", "is_final"),
    [
        (FailureKind.TRANSIENT, False),
        (FailureKind.PERMANENT, True),
        (FailureKind.RETRY_AFTER, False),
        (FailureKind.TIMEOUT, False),
        (FailureKind.WORKER_LOST, False),
        (FailureKind.UNDELIVERABLE, True),
    ],
)
def test_some_failures_are_final(kind: FailureKind, is_final: bool) -> None:
    decision = STEADY.decide(a_failure(kind), attempt=1, max_attempts=100, fraction=0.0)

    assert isinstance(decision, GiveUp) is is_final


def test_a_handler_may_say_when_to_try_again() -> None:
    failure = a_failure(FailureKind.RETRY_AFTER, retry_after=HOUR)

    decision = STEADY.decide(failure, attempt=1, max_attempts=3, fraction=0.9)

    assert decision == RetryIn(delay=HOUR)  # neither capped nor jittered


def test_saying_when_does_not_make_more_attempts() -> None:
    failure = a_failure(FailureKind.RETRY_AFTER, retry_after=HOUR)

    assert STEADY.decide(failure, attempt=3, max_attempts=3, fraction=0.0) == GiveUp()


def test_at_once_is_a_time_too() -> None:
    failure = a_failure(FailureKind.RETRY_AFTER, retry_after=timedelta(0))

    assert STEADY.decide(failure, attempt=1, max_attempts=3, fraction=0.0) == RetryIn(delay=timedelta(0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_attempts", 0),
        ("max_attempts", 101),
        ("base", -SECOND),
        ("base", 30 * DAY + SECOND),
        ("factor", 0.99),
        ("factor", 100.1),
        ("factor", float("nan")),
        ("cap", -SECOND),
        ("cap", 31 * DAY),
        ("jitter", -0.1),
        ("jitter", 1.1),
        ("jitter", float("nan")),
    ],
)
def test_nonsense_is_refused(name: str, value: timedelta | float) -> None:
    with pytest.raises(InvalidInput) as refusal:
        RetryPolicy(**dict[str, Any]({name: value}))

    assert [fault.pointer for fault in refusal.value.faults] == [f"/{name}"]


@pytest.mark.parametrize(
    "bounds",
    [
        {"max_attempts": 1, "base": timedelta(0), "factor": 1.0, "cap": timedelta(0), "jitter": 0.0},
        {"max_attempts": 100, "base": 30 * DAY, "factor": 100.0, "cap": 30 * DAY, "jitter": 1.0},
    ],
)
def test_the_bounds_themselves_are_allowed(bounds: dict[str, Any]) -> None:
    assert RetryPolicy(**bounds).max_attempts == bounds["max_attempts"]


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        RetryPolicy(max_attempts=0, jitter=2.0, cap=-MINUTE)

    assert [fault.pointer for fault in refusal.value.faults] == ["/max_attempts", "/cap", "/jitter"]
