"""Whose turn it is: weighted turns over the lanes of a worker, and equal ones over the shares of a lane."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from attrs import evolve

from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import Priority

#: Of 20 slots that come free: 15 high, 4 normal, 1 low.
WEIGHTS: Final = {Priority.HIGH: 15, Priority.NORMAL: 4, Priority.LOW: 1}


class Turns:
    """Deals slots to lanes by the weight of their priority; what a lane leaves goes to the others.

    A round gives every lane its weight. A lane without work lends its share, so that nothing stays free
    while anybody waits, and the least of them moves in every round. The shares of a lane have the weight of
    one together, and take what it gets in turn, a slot each.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        whole = [lane for lane in lanes if not lane.share]
        self._order = sorted(whole, key=lambda lane: -WEIGHTS[lane.priority])
        self._credit = {lane: WEIGHTS[lane.priority] for lane in whole}
        self._rings = {evolve(lane, share=0): deque[Lane]() for lane in lanes if lane.share}
        for lane in lanes:
            if (ring := self._rings.get(evolve(lane, share=0))) is not None:
                ring.append(lane)

    def deal(self, slots: int, waiting: dict[Lane, int]) -> dict[Lane, int]:
        """Return how many of the free slots each lane gets.

        Args:
            slots: how many are free.
            waiting: how many jobs each lane could start.
        """
        if not self._rings:
            return self._deal(slots, waiting)
        together = {whole: sum(waiting.get(lane, 0) for lane in ring) for whole, ring in self._rings.items()}
        dealt = self._deal(slots, waiting | together)
        for whole, ring in self._rings.items():
            if count := dealt.pop(whole, 0):
                dealt |= _in_turn(ring, count, waiting)
        return dealt

    def _deal(self, slots: int, waiting: Mapping[Lane, int]) -> dict[Lane, int]:
        dealt: dict[Lane, int] = {}
        open_lanes = [lane for lane in self._order if waiting.get(lane, 0) > 0]
        while slots > 0 and open_lanes:
            if not any(self._credit[lane] for lane in open_lanes):
                self._refill(open_lanes)
            for lane in open_lanes:
                count = min(slots, self._credit[lane], waiting[lane] - dealt.get(lane, 0))
                dealt[lane] = dealt.get(lane, 0) + count
                self._credit[lane] -= count
                slots -= count
            open_lanes = [lane for lane in open_lanes if dealt.get(lane, 0) < waiting[lane]]
        return {lane: count for lane, count in dealt.items() if count}

    def _refill(self, lanes: Collection[Lane]) -> None:
        for lane in lanes:
            self._credit[lane] = WEIGHTS[lane.priority]


def _in_turn(ring: deque[Lane], count: int, waiting: Mapping[Lane, int]) -> dict[Lane, int]:
    """Deal slots that all find a job, one to each share that has one; the next time goes on from there."""
    dealt: dict[Lane, int] = {}
    while count:
        lane = ring[0]
        ring.rotate(-1)
        if dealt.get(lane, 0) < waiting.get(lane, 0):
            dealt[lane] = dealt.get(lane, 0) + 1
            count -= 1
    return dealt
