"""Notices that are committed and perhaps not yet published."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

from attrs import frozen

from jobmill.domain.job import Job
from jobmill.domain.states import Target
from jobmill.domain.transition import Fence


@frozen(kw_only=True)
class Notice:
    """A row of the outbox: tell ``target`` of the job as it is at this version.

    Args:
        row: the row's own id. Only this id forgets it, never the job's.
    """

    row: int
    job: Job
    target: Target


class Outbox(Protocol):
    """Rows stay until they are forgotten, so a crash shows them again. Errors as in ``JobRepository``."""

    async def pending(
        self,
        *,
        limit: int,
        older_than: timedelta,
        without: Collection[str] = (),
        unattended: bool = False,
    ) -> Sequence[Notice]:
        """Return rows at least so old by the store's clock, oldest first, none of the queues ``without``.

        Rows whose version is no longer the job's current one are forgotten on the way and not returned.

        Args:
            unattended: only rows whose writer has no way to the bus, so that nobody else publishes them.
        """
        ...

    async def forget(self, rows: Sequence[int]) -> None:
        """Delete exactly these rows. Unknown ids are ignored."""
        ...

    async def announce(self, fences: Sequence[Fence], *, rows: Sequence[int]) -> Sequence[Notice | None]:
        """Write a further notice for queued jobs at these versions, under new row ids; answer by position.

        Sets ``announced_at`` and raises ``announces`` without a new version. None where the fence no longer
        stands or the job is not queued.
        """
        ...
