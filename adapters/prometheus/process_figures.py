"""How one process is at the moment at which it is asked."""

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from jobmill.application.guarded_provider import ProviderSeen
from jobmill.application.ports.store import PoolUse


@frozen(kw_only=True)
class Slots:
    """How many jobs a worker runs at once, at most and now."""

    size: int
    in_use: int


@frozen(kw_only=True)
class ProcessFigures:
    """What a process knows of itself.

    Args:
        queues: those that it knows of.
        slots: None in a process that runs no jobs.
        providers: those that it calls.
    """

    version: str
    is_broker_up: bool
    queues: Sequence[str]
    pools: Mapping[str, PoolUse]
    slots: Slots | None = None
    providers: Sequence[ProviderSeen] = field(factory=tuple)
