"""Whose turn it is: weighted turns over the lanes of a worker."""

from collections.abc import Collection, Sequence
from typing import Final

from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import Priority

#: Of 20 slots that come free: 15 high, 4 normal, 1 low.
WEIGHTS: Final = {Priority.HIGH: 15, Priority.NORMAL: 4, Priority.LOW: 1}


class Turns:
    """Deals slots to lanes by the weight of their priority; what a lane leaves goes to the others.

    A round gives every lane its weight. A lane without work lends its share, so that nothing stays free
    while anybody waits, and the least of them moves in every round.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._order = sorted(lanes, key=lambda lane: -WEIGHTS[lane.priority])
        self._credit = {lane: WEIGHTS[lane.priority] for lane in lanes}

    def deal(self, slots: int, waiting: dict[Lane, int]) -> dict[Lane, int]:
        """Return how many of the free slots each lane gets.

        Args:
            slots: how many are free.
            waiting: how many jobs each lane could start.
        """
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
