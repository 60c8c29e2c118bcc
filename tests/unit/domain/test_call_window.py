"""Counting the calls of the last half minute."""

from datetime import datetime, timedelta

from jobmill.domain.call_window import SLOT, CallWindow

from tests.builders import NOW

HALF_A_MINUTE = timedelta(seconds=30)


def some(calls: int, failures: int = 0, *, at: datetime = NOW) -> CallWindow:
    return CallWindow.of(calls=calls, failures=failures, now=at)


def test_calls_are_counted_together() -> None:
    window = some(3, 1).plus(some(4, 4)).plus(some(1, at=NOW + SLOT))

    assert (window.calls, window.failures) == (8, 5)
    assert len(window.slots) == 2


def test_no_calls_leave_nothing() -> None:
    assert some(0) == CallWindow()
    assert some(2, 1).minus(some(2, 1)) == CallWindow()


def test_a_part_is_taken_away() -> None:
    window = some(5, 2).plus(some(3, 3, at=NOW - SLOT))

    assert window.minus(some(4, 1)) == some(1, 1).plus(some(3, 3, at=NOW - SLOT))


def test_what_is_as_old_as_the_window_never_counts() -> None:
    assert some(1).last(HALF_A_MINUTE, now=NOW + HALF_A_MINUTE) == CallWindow()


def test_what_is_younger_by_a_slot_counts() -> None:
    assert some(1).last(HALF_A_MINUTE, now=NOW + HALF_A_MINUTE - SLOT).calls == 1


def test_a_clock_that_is_far_ahead_fills_no_slots() -> None:
    assert some(1, at=NOW + SLOT).last(HALF_A_MINUTE, now=NOW).calls == 1
    assert some(1, at=NOW + 2 * SLOT).last(HALF_A_MINUTE, now=NOW) == CallWindow()
