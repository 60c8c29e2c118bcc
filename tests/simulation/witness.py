"""Who looks on: what is known about a run beside the tables, and the laws that were broken."""

import asyncio
from typing import Final
from uuid import UUID

from attrs import define, field

from jobmill.domain.transition import Fence

from tests.simulation.trace import Trace

#: How long after a jump of the store's clock two may believe in one job: one lease.
UNSETTLED_S: Final = 15.0
#: Beyond these a run has said enough.
BROKEN_MAX: Final = 5


@define(eq=False)
class Witness:
    """Counts the faults that were made, and notes every breach of an invariant by its number.

    The numbers are those of the list in `oracle`.
    """

    trace: Trace
    broken: list[str] = field(factory=list)
    faults: int = 0
    #: Notices that the broker lost by the adversary's hand.
    lost: set[Fence] = field(factory=set)
    #: Jobs that an operator was asked to start over or put away.
    asked: set[UUID] = field(factory=set)
    _jumped_s: float = -1e9
    _names: dict[UUID, str] = field(factory=dict)

    def law(self, number: int, holds: bool, breach: str, *about: object) -> None:
        """Note a breach of invariant ``number`` unless it holds."""
        if not holds and len(self.broken) < BROKEN_MAX:
            told = " ".join(map(str, about))
            self.broken.append(f"invariant {number}: {breach} ({told})")
            self.trace.tell("WITNESS", f"invariant {number}:", breach, *about)

    def fault(self, kind: str, *about: object, who: str = "adversary") -> None:
        """Note that something was made to go wrong."""
        self.faults += 1
        self.trace.saw(f"fault: {kind}")
        self.trace.tell(who, kind, *about)

    def clock_jumped(self) -> None:
        """From here on leases and beliefs are at odds for the time of a lease."""
        self._jumped_s = asyncio.get_running_loop().time()

    @property
    def clock_is_settled(self) -> bool:
        """No jump within the last lease."""
        return asyncio.get_running_loop().time() > self._jumped_s + UNSETTLED_S

    def name(self, job_id: UUID) -> str:
        """A short name, in the order in which jobs were first seen."""
        return self._names.setdefault(job_id, f"job-{len(self._names) + 1}")
