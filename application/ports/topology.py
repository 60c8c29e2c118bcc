"""The queues and exchanges that the broker must have."""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from attrs import frozen


class PlanVerb(Enum):
    """What has to be done about one queue or exchange."""

    KEEP = "unchanged"
    CREATE = "create"
    CLASH = "clash"  # it exists with other arguments, which cannot be changed in place


@frozen(kw_only=True)
class PlanItem:
    """One queue or exchange and what has to be done; ``detail`` names a clash and its mend."""

    kind: str
    name: str
    verb: PlanVerb
    detail: str = ""


class Topology(Protocol):
    """The owner of queues and exchanges. Raises ``BrokerUnavailable`` and ``SetupFault``."""

    async def plan(self) -> Sequence[PlanItem]:
        """Compare what is with what should be; change nothing."""
        ...

    async def apply(self) -> Sequence[PlanItem]:
        """Create what is missing; return the plan that was carried out. Harmless when repeated.

        Raises:
            SetupFault: something clashes; nothing was changed.
        """
        ...

    async def missing(self) -> Sequence[str]:
        """Return the names of what is not there. Cheaper than a plan: nothing is compared."""
        ...

    async def verify(self) -> None:
        """Check that everything is there.

        Raises:
            SetupFault: something is missing; says how to create it.
        """
        ...
