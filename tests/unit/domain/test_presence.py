"""When a process counts as dead, and when it has to stop believing that it does not."""

from datetime import timedelta
from typing import Any

import pytest

from jobmill.domain.errors import InvalidInput
from jobmill.domain.presence import NOTED_MAX, Incarnation, PresencePolicy, Roll, key_of

POLICY = PresencePolicy()
NOBODY: frozenset[int] = frozenset()


def seen(*looks: tuple[float, set[int]], takes_s: float = 0.0) -> Roll:
    """A roll after looks, each asked at its time and answered ``takes_s`` later."""
    (first_s, held), *others = looks
    roll = Roll.first(frozenset(held), asked_s=first_s, answered_s=first_s + takes_s)
    for asked_s, held in others:
        roll = roll.then(frozenset(held), asked_s=asked_s, answered_s=asked_s + takes_s)
    return roll


def test_a_lock_found_free_twice_with_two_seconds_in_between_is_proof() -> None:
    assert seen((0.0, {1}), (1.0, set()), (3.0, set())).is_gone(1, POLICY)


def test_less_than_two_seconds_are_no_proof() -> None:
    assert not seen((0.0, {1}), (1.0, set()), (2.9, set())).is_gone(1, POLICY)


def test_the_two_seconds_run_from_the_first_answer_to_the_last_question() -> None:
    looks: list[tuple[float, set[int]]] = [(0.0, {1}), (1.0, set()), (3.0, set())]

    assert not seen(*looks, takes_s=0.1).is_gone(1, POLICY)
    assert seen(*looks, (3.1, set()), takes_s=0.1).is_gone(1, POLICY)


def test_a_lock_that_came_back_in_between_is_free_from_then_on_only() -> None:
    roll = seen((0.0, {1}), (1.0, set()), (2.0, {1}), (2.5, set()), (4.0, set()))

    assert not roll.is_gone(1, POLICY)
    assert seen((0.0, {1}), (1.0, set()), (2.0, {1})).free_since_s == {}


def test_a_lock_that_is_held_is_no_proof_however_long_it_was_free() -> None:
    assert not seen((0.0, set()), (9.0, {1})).is_gone(1, POLICY)


def test_a_lock_that_nobody_has_heard_of_proves_nothing_by_being_free() -> None:
    """It may be taken right after the last look, and its holder be at work before the next."""
    roll = seen((0.0, set()), (9.0, set()))

    assert not roll.is_known(7)
    assert not roll.is_gone(7, POLICY)


def test_a_suspect_is_free_since_the_answer_to_the_first_look_after_the_suspicion() -> None:
    suspects = frozenset({1, 7})
    begun = Roll.first(frozenset({1}), asked_s=0.0, answered_s=0.1, suspects=suspects)
    joined = seen((-9.0, {1})).then(frozenset({1}), asked_s=0.0, answered_s=0.1, suspects=suspects)

    for roll in (begun, joined):
        assert roll.is_known(7)
        assert not roll.then(frozenset({1}), asked_s=2.0, answered_s=2.1).is_gone(7, POLICY)
        assert roll.then(frozenset({1}), asked_s=2.1, answered_s=2.2, suspects=suspects).is_gone(7, POLICY)
        assert not roll.then(frozenset({1, 7}), asked_s=2.1, answered_s=2.2).is_gone(7, POLICY)


def test_what_is_gone_stays_gone() -> None:
    assert seen((0.0, {1}), (1.0, set()), (3.0, set()), (3.5, set()), (99.0, set())).is_gone(1, POLICY)


def test_only_so_many_of_the_dead_are_remembered_the_last_ones() -> None:
    roll = seen((0.0, {1}), (1.0, set(range(2, NOTED_MAX + 2))), (2.0, set()))

    assert len(roll.free_since_s) == NOTED_MAX
    assert not roll.is_known(1)


def test_a_death_is_news_once() -> None:
    looks: list[tuple[float, set[int]]] = [(0.0, {1, 2}), (1.0, {2}), (3.0, {2}), (3.5, {2})]
    news = [seen(*looks[:count]).newly_gone(POLICY) for count in range(1, 5)]

    assert news == [NOBODY, NOBODY, frozenset({1}), NOBODY]


@pytest.mark.parametrize("phase", [0.0, 0.1, 0.49])
def test_a_process_stops_believing_before_anybody_can_take_it_for_dead(phase: float) -> None:
    """Whatever its last good question: the lock was held then, so nobody can have found it free before."""
    sent_s = 10.0
    looks: list[tuple[float, set[int]]] = [
        (sent_s + phase + 0.5 * n, {1} if n == -1 else set()) for n in range(-1, 12)
    ]

    proven_s = min(
        at_s for count, (at_s, _) in enumerate(looks, 1) if seen(*looks[:count]).is_gone(1, POLICY)
    )

    assert POLICY.belief_ends(sent_s) < proven_s


def test_the_name_of_an_incarnation_proves_its_lock() -> None:
    incarnation = Incarnation(process="web1:4711:0a", key=0xFEDC0001)

    assert incarnation.name == "web1:4711:0a#fedc0001"
    assert key_of(incarnation.name) == 0xFEDC0001
    assert key_of(Incarnation(process="a#b", key=1).name) == 1


@pytest.mark.parametrize("name", ["", "web1:4711", "web1#12", "web1#0123456789", "web1#ghijklmn", "#"])
def test_any_other_name_proves_nothing(name: str) -> None:
    assert key_of(name) is None


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"margin": timedelta(0)}, "/margin"),
        ({"look_every": timedelta(0)}, "/look_every"),
        ({"look_every": timedelta(seconds=0.9)}, "/look_every"),
    ],
)
def test_times_that_do_not_fit_each_other_are_refused(facts: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        PresencePolicy(**facts)

    assert [fault.pointer for fault in caught.value.faults] == [pointer]
