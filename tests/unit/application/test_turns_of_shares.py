"""The shares of a lane take turns, one slot each, and have together what the lane would have alone."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from jobmill.application.fair_queues import FairQueues
from jobmill.application.ports.message_bus import Lane
from jobmill.application.turns import Turns
from jobmill.domain.states import Priority

LANES: Final = FairQueues(shares={"default": 4}).lanes_of("default")
HIGH: Final = LANES[:4]
NORMAL: Final = LANES[4:8]
LOW: Final = LANES[8:]
PLAIN: Final = Lane(queue="plain", priority=Priority.NORMAL)


def test_all_shares_get_the_same() -> None:
    assert Turns(LANES).deal(8, dict.fromkeys(NORMAL, 100)) == dict.fromkeys(NORMAL, 2)


def test_slots_that_come_free_singly_go_round() -> None:
    turns = Turns(LANES)

    dealt = [lane for _ in range(8) for lane in turns.deal(1, dict.fromkeys(LOW, 100))]

    assert dealt == [*LOW, *LOW]


def test_one_that_has_little_is_served_at_once_and_holds_nobody_up() -> None:
    flood, trickle = NORMAL[1], NORMAL[3]

    dealt = Turns(LANES).deal(20, {flood: 1_000, trickle: 3})

    assert dealt == {flood: 17, trickle: 3}


def test_a_lone_share_takes_all() -> None:
    assert Turns(LANES).deal(20, {NORMAL[2]: 1_000}) == {NORMAL[2]: 20}


def test_between_priorities_it_stays_fifteen_four_and_one_however_many_shares_wait() -> None:
    turns = Turns(LANES)
    waiting = {HIGH[3]: 1_000, **dict.fromkeys(NORMAL, 1_000), LOW[0]: 1_000, LOW[2]: 1_000}

    dealt = [turns.deal(20, waiting) for _ in range(10)]

    for lanes, slots in ((HIGH, 150), (NORMAL, 40), (LOW, 10)):
        assert sum(each.get(lane, 0) for each in dealt for lane in lanes) == slots


def test_a_fair_queue_has_no_more_weight_than_another() -> None:
    turns = Turns([*LANES, PLAIN])
    waiting = {**dict.fromkeys(NORMAL, 1_000), PLAIN: 1_000}

    dealt = [turns.deal(8, waiting) for _ in range(10)]

    assert sum(each.get(PLAIN, 0) for each in dealt) == 40


@given(
    rounds=st.lists(
        st.tuples(
            st.integers(0, 60),
            st.fixed_dictionaries({lane: st.integers(0, 20) for lane in [*LANES, PLAIN]}),
        ),
        max_size=20,
    )
)
def test_no_slot_stays_free_while_anybody_waits_and_nobody_gets_more_than_waits(
    rounds: list[tuple[int, dict[Lane, int]]],
) -> None:
    turns = Turns([*LANES, PLAIN])
    for slots, waiting in rounds:
        dealt = turns.deal(slots, waiting)

        assert sum(dealt.values()) == min(slots, sum(waiting.values()))
        assert all(0 < count <= waiting[lane] for lane, count in dealt.items())


@given(st.lists(st.integers(1, 7), min_size=50, max_size=50))
def test_shares_that_always_wait_are_never_more_than_a_slot_apart(slots: list[int]) -> None:
    turns = Turns(LANES)
    dealt = dict.fromkeys(HIGH, 0)
    for count in slots:
        for lane, got in turns.deal(count, dict.fromkeys(HIGH, 1_000)).items():
            dealt[lane] += got

        assert max(dealt.values()) - min(dealt.values()) <= 1
