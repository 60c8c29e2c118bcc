"""Barriers: messages that wait in the same line as notices, and prove what is no longer in it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from attrs import evolve, frozen

from jobmill.application.ports.message_bus import Lane
from jobmill.domain.job import Job
from jobmill.domain.transition import Fence


@frozen(kw_only=True)
class Barrier:
    """One barrier on its way through a lane, or through its shares one after another.

    A store keeps of it what it judges, and not where it is.

    Args:
        lane: the first share, which stands for all of them.
        judges_before: every notice that was written before it, and was taken by the broker, is ahead of it.
        shares: how many it passes through, 1 or more.
        share: in which of them it is.
    """

    id: UUID
    lane: Lane
    judges_before: datetime
    shares: int = 1
    share: int = 0

    @property
    def place(self) -> Lane:
        """Where it is."""
        return evolve(self.lane, share=self.share)

    @property
    def next(self) -> "Barrier | None":
        """The same barrier in the next share; None in the last, behind which it has come through."""
        return evolve(self, share=self.share + 1) if self.share + 1 < self.shares else None


@frozen(kw_only=True)
class BarrierRecord:
    """The last barrier of a lane, and how long ago by the store's clock it came back, or else was sent."""

    barrier: Barrier
    is_back: bool
    since: timedelta


class Barriers(Protocol):
    """At most one barrier for each lane, in the store's time. Errors as in ``JobRepository``."""

    async def records(self) -> Sequence[BarrierRecord]:
        """Return the last barrier of each lane that ever had one in this life of the broker."""
        ...

    async def wanted(
        self, lanes: Sequence[Lane], *, margin: timedelta, without: Collection[str] = ()
    ) -> Sequence[tuple[Lane, datetime]]:
        """Return the lanes where a barrier could judge a job, each with what it would judge.

        That is where a queued job was announced before ``judges_before``: the store's now, or the age of the
        oldest outbox row that still has to go to that queue, whichever is earlier, less ``margin``. So a
        notice written before it is with the broker, unless the broker lost it. The margin covers what lies
        between the writing of a notice and the moment at which others see its row.

        Args:
            without: queues that take no messages now; they want none, and hold up no other queue's barrier.
        """
        ...

    async def begin(self, barrier: Barrier, *, replaces: UUID | None) -> bool:
        """Note a barrier that is about to be sent; False where the last one of its lane is not ``replaces``.

        With True, also by an earlier try of this call, the barrier may be published.
        """
        ...

    async def came_back(self, barrier: Barrier) -> bool:
        """Note that a barrier came through its lane, the first time; False for one that is not the last."""
        ...

    async def lost(self, barrier: Barrier, *, after: timedelta, limit: int) -> Sequence[Job]:
        """Return queued jobs of the lane without any notice, longest announced first.

        Those are announced before what the barrier judges, have no outbox row, and are still queued ``after``
        it came back. None for a barrier that is not back for so long, or not the last of its lane.
        """
        ...

    async def went_back(self, fences: Sequence[Fence]) -> None:
        """Note that the notices of these queued jobs go to the end of their line now, behind any barrier."""
        ...
