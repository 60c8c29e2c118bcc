"""How many calls may be under way, found out by how the provider bears them."""

import pytest

from jobmill.domain.concurrency_limit import HIGHEST, HIGHEST_MAX, STEADY, ConcurrencyLimit
from jobmill.domain.errors import InvalidInput


def test_it_begins_at_the_highest() -> None:
    limit = ConcurrencyLimit(highest=50)

    assert limit.has_room(49)
    assert not limit.has_room(50)


def test_a_failure_takes_a_tenth_off() -> None:
    assert ConcurrencyLimit(highest=100).strained(100).limit == pytest.approx(90)


def test_a_limit_far_above_what_is_used_comes_down_to_twice_that_at_once() -> None:
    assert ConcurrencyLimit(highest=HIGHEST).strained(40).limit == pytest.approx(72)


def test_one_failure_in_little_traffic_leaves_room() -> None:
    assert ConcurrencyLimit(highest=HIGHEST).strained(1).limit == pytest.approx(STEADY * 0.9)


def test_however_much_fails_one_call_has_room() -> None:
    limit = ConcurrencyLimit(highest=50)
    for _ in range(100):
        limit = limit.strained(50)

    assert limit.limit == 1
    assert limit.has_room(0)


def test_a_success_adds_one_up_to_the_highest() -> None:
    limit = ConcurrencyLimit(highest=10, limit=8.5)

    assert limit.bore(8).limit == pytest.approx(9.5)
    assert limit.bore(8).bore(8).limit == 10


def test_a_success_says_nothing_while_little_of_the_limit_is_used() -> None:
    limit = ConcurrencyLimit(highest=10, limit=8.0)

    assert limit.bore(3) is limit


def test_a_share_of_failures_that_is_bearable_leaves_much_room() -> None:
    """Nineteen of twenty calls succeed, a hundred at a time."""
    limit = ConcurrencyLimit(highest=100)
    for _ in range(100):
        for _ in range(19):
            limit = limit.bore(100)
        limit = limit.strained(100)

    assert limit.limit >= 90


@pytest.mark.parametrize("highest", [0, HIGHEST_MAX + 1])
def test_nonsense_is_refused_by_its_name(highest: int) -> None:
    with pytest.raises(InvalidInput, match="/concurrency"):
        ConcurrencyLimit(highest=highest)
