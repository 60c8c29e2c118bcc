"""Whose turn it is: 15 high, 4 normal, 1 low, and what one leaves the others take."""

from hypothesis import given
from hypothesis import strategies as st

from jobmill.application.ports.message_bus import Lane
from jobmill.application.turns import WEIGHTS, Turns
from jobmill.domain.states import Priority

HIGH, NORMAL, LOW = (Lane(queue="default", priority=priority) for priority in Priority)
LANES = [LOW, NORMAL, HIGH]
MANY = dict.fromkeys(LANES, 1_000)


def test_of_twenty_slots_fifteen_are_for_high_four_for_normal_one_for_low() -> None:
    assert Turns(LANES).deal(20, MANY) == {HIGH: 15, NORMAL: 4, LOW: 1}


def test_slots_that_come_free_singly_are_dealt_in_the_same_shares() -> None:
    turns = Turns(LANES)

    dealt = [lane for _ in range(200) for lane in turns.deal(1, MANY)]

    assert [dealt.count(lane) for lane in (HIGH, NORMAL, LOW)] == [150, 40, 10]


def test_an_empty_lane_lends_its_turn() -> None:
    turns = Turns(LANES)

    assert turns.deal(100, {LOW: 1_000}) == {LOW: 100}
    assert turns.deal(10, {NORMAL: 1_000, HIGH: 0}) == {NORMAL: 10}


def test_what_was_lent_is_not_owed() -> None:
    turns = Turns(LANES)
    turns.deal(500, {LOW: 1_000})

    dealt = turns.deal(20, MANY)

    assert dealt[HIGH] >= 15


def test_the_least_of_them_moves_in_every_round() -> None:
    turns = Turns(LANES)

    rounds = [turns.deal(20, MANY).get(LOW, 0) for _ in range(10)]

    assert rounds == 10 * [1]


def test_with_nothing_to_do_nothing_is_dealt() -> None:
    assert Turns(LANES).deal(10, {}) == {}
    assert Turns(LANES).deal(0, MANY) == {}


@given(
    rounds=st.lists(
        st.tuples(st.integers(0, 60), st.fixed_dictionaries({lane: st.integers(0, 40) for lane in LANES})),
        max_size=20,
    )
)
def test_no_slot_stays_free_while_anybody_waits_and_nobody_gets_more_than_waits(
    rounds: list[tuple[int, dict[Lane, int]]],
) -> None:
    turns = Turns(LANES)
    for slots, waiting in rounds:
        dealt = turns.deal(slots, waiting)

        assert sum(dealt.values()) == min(slots, sum(waiting.values()))
        assert all(0 < count <= waiting[lane] for lane, count in dealt.items())


@given(st.lists(st.integers(1, 7), min_size=100, max_size=100))
def test_low_never_starves(slots: list[int]) -> None:
    turns = Turns(LANES)

    dealt = [turns.deal(count, MANY) for count in slots]

    lows = sum(each.get(LOW, 0) for each in dealt)
    assert lows >= sum(slots) // sum(WEIGHTS.values())
