"""When a breaker opens, who may probe, and what closes it again."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from jobmill.domain.call_window import CallWindow
from jobmill.domain.circuit_breaker import Breaker, BreakerPolicy, BreakerState
from jobmill.domain.errors import InvalidInput

from tests.builders import NOW, SECOND

POLICY = BreakerPolicy()
CLOSED = Breaker(state=BreakerState.CLOSED, since=NOW - timedelta(days=1))


def calls(number: int, *, failed: int, at: datetime = NOW) -> CallWindow:
    return CallWindow.of(calls=number, failures=failed, now=at)


def an_open_breaker() -> Breaker:
    return CLOSED.tally(calls(10, failed=10), now=NOW, policy=POLICY)


def probing(breaker: Breaker, *, stamp: int = 7, at: datetime = NOW + 30 * SECOND) -> Breaker:
    begun = breaker.begin_probe(stamp, now=at, policy=POLICY)
    assert begun is not None
    return begun


def test_it_opens_for_thirty_seconds_when_half_of_ten_calls_failed() -> None:
    breaker = CLOSED.tally(calls(10, failed=5), now=NOW, policy=POLICY)

    assert (breaker.state, breaker.since, breaker.until) == (BreakerState.OPEN, NOW, NOW + 30 * SECOND)
    assert (breaker.window.calls, breaker.openings) == (10, 1)


@pytest.mark.parametrize(("number", "failed"), [(9, 9), (10, 4), (100, 49), (0, 0)])
def test_it_stays_closed_for_fewer_calls_or_failures(number: int, failed: int) -> None:
    assert CLOSED.tally(calls(number, failed=failed), now=NOW, policy=POLICY).is_closed


def test_calls_add_up_over_half_a_minute() -> None:
    breaker = CLOSED.tally(calls(5, failed=5), now=NOW, policy=POLICY)
    assert breaker.is_closed

    soon, late = NOW + 20 * SECOND, NOW + 30 * SECOND
    assert not breaker.tally(calls(5, failed=5, at=soon), now=soon, policy=POLICY).is_closed
    assert breaker.tally(calls(5, failed=5, at=late), now=late, policy=POLICY).is_closed


def test_while_it_is_open_nothing_counts() -> None:
    breaker = an_open_breaker()

    assert breaker.tally(calls(100, failed=100), now=NOW + SECOND, policy=POLICY) is breaker


def test_a_probe_begins_when_its_time_has_come_and_not_before() -> None:
    breaker = an_open_breaker()

    assert breaker.begin_probe(7, now=NOW + 29 * SECOND, policy=POLICY) is None
    assert not breaker.may_probe(NOW + 29 * SECOND)
    begun = probing(breaker)

    assert (begun.state, begun.probe) == (BreakerState.HALF_OPEN, 7)
    assert begun.since == NOW + 30 * SECOND


def test_a_closed_breaker_needs_no_probe() -> None:
    assert CLOSED.begin_probe(7, now=NOW, policy=POLICY) is None


def test_there_is_one_probe_at_a_time() -> None:
    begun = probing(an_open_breaker())

    assert begun.begin_probe(8, now=NOW + 31 * SECOND, policy=POLICY) is None


def test_a_probe_that_is_not_answered_goes_to_another() -> None:
    begun = probing(an_open_breaker())
    later = NOW + 30 * SECOND + POLICY.probe_within

    again = probing(begun, stamp=8, at=later)

    assert again.probe == 8
    assert again.since == begun.since
    assert again.probe_succeeded(7, now=later, policy=POLICY) is again
    assert again.probe_failed(7, now=later, policy=POLICY) is again
    assert again.probe_undecided(7, now=later, wait=SECOND) is again


def test_two_successes_in_a_row_close_it() -> None:
    now = NOW + 31 * SECOND
    once = probing(an_open_breaker()).probe_succeeded(7, now=now, policy=POLICY)
    assert (once.state, once.successes, once.probe) == (BreakerState.HALF_OPEN, 1, None)

    twice = probing(once, stamp=8, at=now).probe_succeeded(8, now=now, policy=POLICY)

    assert twice == Breaker(state=BreakerState.CLOSED, since=now)


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_minute() -> None:
    breaker, now = an_open_breaker(), NOW
    spans = []
    for _ in range(3):
        assert breaker.until is not None
        now = breaker.until
        breaker = probing(breaker, at=now).probe_failed(7, now=now, policy=POLICY)
        assert breaker.until is not None
        spans.append(breaker.until - now)

    assert spans == [60 * SECOND] * 3
    assert (breaker.state, breaker.openings) == (BreakerState.OPEN, 4)


def test_a_failure_after_a_success_begins_at_none_again() -> None:
    now = NOW + 31 * SECOND
    once = probing(an_open_breaker()).probe_succeeded(7, now=now, policy=POLICY)

    assert probing(once, stamp=8, at=now).probe_failed(8, now=now, policy=POLICY).successes == 0


def test_a_probe_that_says_neither_lets_the_next_begin_later() -> None:
    now = NOW + 31 * SECOND
    undecided = probing(an_open_breaker()).probe_undecided(7, now=now, wait=5 * SECOND)

    assert not undecided.may_probe(now + 4 * SECOND)
    assert undecided.may_probe(now + 5 * SECOND)
    assert (undecided.state, undecided.successes) == (BreakerState.HALF_OPEN, 0)


def test_a_successful_provider_begins_anew() -> None:
    """After it closed, an opening is a first one again."""
    now = NOW + 60 * SECOND
    closed = Breaker(state=BreakerState.CLOSED, since=NOW)

    assert closed.tally(calls(10, failed=9, at=now), now=now, policy=POLICY).until == now + 30 * SECOND


def test_the_open_time_doubles_up_to_the_longest() -> None:
    policy = BreakerPolicy(open_for=SECOND, open_max=7 * SECOND)

    times = [policy.open_time(n) for n in (1, 2, 3, 4, 1_000_000)]

    assert times == [SECOND, 2 * SECOND, 4 * SECOND, 7 * SECOND, 7 * SECOND]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"window": 4 * SECOND},
        {"calls_min": 0},
        {"failure_share": 0.0},
        {"failure_share": 1.1},
        {"open_for": timedelta(0)},
        {"open_for": 61 * SECOND},
        {"closes_after": 0},
        {"probe_within": timedelta(0)},
    ],
)
def test_nonsense_is_refused_by_its_name(nonsense: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        BreakerPolicy(**nonsense)

    assert [fault.pointer for fault in refusal.value.faults] == [f"/{name}" for name in nonsense]
