"""What the run needs of a contender."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from benchmarks.children import Command


class Purpose(StrEnum):
    """What a worker is started for; its settings may differ."""

    DRAIN = "drain"
    LATENCY = "latency"
    IO = "io"
    IDLE = "idle"


@frozen(kw_only=True)
class Setting:
    """One setting that is not the default.

    Args:
        why: what it does for the figures.
        source: where its maker advises or describes it.
    """

    name: str
    why: str
    source: str


@frozen(kw_only=True)
class Pace:
    """About how many jobs a second a contender does, so that each is measured for about as long."""

    single: int
    batch: int = 0
    drain: int
    io: int


@frozen(kw_only=True)
class Entrance:
    """How jobs are submitted.

    Args:
        name: for the tables.
        program: the client, but for its plan: ``benchmarks.client`` and a module with a ``Producer``.
        in_flight: calls at once, that serve this contender best.
        threaded: the calls block.
    """

    name: str
    program: Command
    in_flight: int
    threaded: bool = False


class System(Protocol):
    """A contender."""

    @property
    def name(self) -> str:
        """A word for files and tables' rows."""
        ...

    @property
    def title(self) -> str: ...

    @property
    def keeps(self) -> str:
        """What of a job it keeps beside its message, for the tables."""
        ...

    @property
    def settings(self) -> Sequence[Setting]: ...

    @property
    def pace(self) -> Pace: ...

    @property
    def takes_batches(self) -> bool: ...

    @property
    def uses_postgres(self) -> bool: ...

    async def prepare(self) -> None:
        """Make tables and queues.

        Raises:
            Failed: it cannot be run here; the message says why.
        """
        ...

    async def reset(self) -> None:
        """Leave it without jobs."""
        ...

    def entrance(self) -> Entrance:
        """Return the way of its library into it; what is submitted need not reach a worker at once."""
        ...

    async def fill(self, jobs: int) -> None:
        """Put jobs, numbered from 0, where a worker that starts finds them; raises ``Failed``."""
        ...

    def worker(self, number: int, purpose: Purpose, env: Mapping[str, str]) -> Command: ...

    async def kept(self) -> int | None:
        """Return how many jobs it holds that are not done."""
        ...

    async def remove(self) -> None:
        """Leave nothing behind on the servers."""
        ...
