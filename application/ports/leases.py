"""The leases that workers hold on running jobs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from attrs import frozen

from jobmill.domain.job import Job
from jobmill.domain.transition import Fence


@frozen(kw_only=True)
class Renewed:
    """The lease was extended. ``stop_asked`` says whether somebody wants the job to stop."""

    stop_asked: bool


@frozen(kw_only=True)
class Busy:
    """The row was locked by another statement; nothing was changed, ask again."""


@frozen(kw_only=True)
class Lost:
    """The row is at another version: this run no longer holds the job."""


LeaseAnswer = Renewed | Busy | Lost


class Leases(Protocol):
    """Leases change without a new version of the job. Errors as in ``JobRepository``."""

    async def renew(self, fences: Sequence[Fence], *, ttl: timedelta) -> Sequence[LeaseAnswer]:
        """Extend leases to the store's now plus ``ttl`` where the fence still stands; answer by position.

        Rows locked by somebody else are skipped, not waited for.
        """
        ...

    async def ask_to_stop(self, job_ids: Sequence[UUID]) -> Sequence[bool]:
        """Mark running jobs as asked to stop; answer by position whether the job was running."""
        ...

    async def lapsed(self, *, limit: int) -> Sequence[Job]:
        """Return running jobs whose lease is over, longest first."""
        ...

    async def workers(self) -> Sequence[str]:
        """Return the names of all workers that have running jobs, each once."""
        ...

    async def held_by(self, workers: Sequence[str], *, limit: int) -> Sequence[Job]:
        """Return running jobs of these workers, in the order of their ids."""
        ...
