"""How long a worker holds what it cannot start, and in what pieces that goes back."""

import asyncio
from datetime import timedelta
from typing import Final

from attrs import frozen

from jobmill.application.admission import Admission
from jobmill.application.holding import Holding

#: Jobs that find no slot for so long go back.
HOLD_S: Final = 1.0
#: What kills a worker does so at its start, as a rule. After so long another suspect may begin: else the
#: hundred long jobs of a killed worker would run one after the other.
SUSPECT_TRIAL_S: Final = 1.0
#: A suspect that finds another at work goes away for a while: three of them would use up a lane's prefetch.
SUSPECT_HOLD_S: Final = 0.25
SUSPECT_AWAY: Final = timedelta(seconds=1)
#: What finds slots and no thread goes back in parcels of no fewer, since the lane is read on: each parcel is
#: held for the hold time, and a lane full of single jobs would let little through its prefetch.
PARCEL_KEPT: Final = 8
#: What waits for a provider in its type's own queue is in nobody's way, and no other worker can start it. It
#: goes round all the same, well within the ack deadline, so that no barrier takes its notice for lost.
SHUT_HOLD_S: Final = 5.0
#: While jobs wait for a provider it is looked at so often whether it may be called.
SHUT_LOOK_S: Final = 0.5


@frozen(kw_only=True)
class HoldTimes:
    """Decides by what a delivery waits for. ``slots`` are those that are free."""

    admission: Admission

    def returns_at_s(self, holding: Holding, *, slots: int) -> float:
        """Return the loop time at which what is stuck goes back."""
        if self._is_kept(holding):
            return holding.received_s + SHUT_HOLD_S
        return holding.received_s + (SUSPECT_HOLD_S if _waits_for_suspects(holding, slots) else HOLD_S)

    def looks_at_s(self, holding: Holding, *, slots: int) -> float:
        """Return the loop time at which there is something to see to, though nothing has happened here."""
        returns_at_s = self.returns_at_s(holding, slots=slots)
        if self.admission.is_open:
            return returns_at_s
        return min(returns_at_s, asyncio.get_running_loop().time() + SHUT_LOOK_S)

    def away(self, holding: Holding, *, slots: int) -> timedelta | None:
        """Return how long it stays away from its lane; None if it goes straight back."""
        return SUSPECT_AWAY if _waits_for_suspects(holding, slots) else None

    def least_parcel(self, holding: Holding, *, slots: int) -> int:
        """Return how many of its jobs may always travel together."""
        if self._is_kept(holding):
            return holding.size
        return PARCEL_KEPT if slots > 0 else 1

    def _is_kept(self, holding: Holding) -> bool:
        """All of it waits for providers, and none of it keeps anything from being started."""
        return self.admission.keeps(holding.todo)


def _waits_for_suspects(holding: Holding, slots: int) -> bool:
    return slots > 0 and holding.holds_suspects
