"""Jobs for which a time has come, by the store's clock."""

from collections.abc import Sequence
from typing import Protocol

from jobmill.domain.job import Job


class DueJobs(Protocol):
    """What the scheduler looks for. Raises ``StorageUnavailable``."""

    async def due(self, *, limit: int) -> Sequence[Job]:
        """Return scheduled and retrying jobs whose ``wake_at`` has come, earliest first."""
        ...

    async def expired(self, *, limit: int) -> Sequence[Job]:
        """Return unstarted jobs whose time to live is over, earliest first."""
        ...

    async def to_cancel(self, *, limit: int) -> Sequence[Job]:
        """Return waiting jobs that were asked to stop while they ran."""
        ...
