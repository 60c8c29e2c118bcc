"""Finished jobs whose end others wait for."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from attrs import frozen

from jobmill.domain.job import Job
from jobmill.domain.ties import Tally


@frozen(kw_only=True)
class Ended:
    """A finished job that is watched.

    Args:
        watch: 64 random bits, the stamp of whatever began to watch it last: the new job that follows it, the
            job itself where it was stored as one of a batch, or the requeue after which it ended again.
    """

    job: Job
    watch: int


class EndedJobs(Protocol):
    """What the ends of jobs set in motion. Raises ``StorageUnavailable``.

    A job is watched from ``JobRepository.add`` on where it belongs to a batch or another new job follows it,
    and from each requeue on, until ``forget``.
    """

    async def ended(self, *, limit: int) -> Sequence[Ended]:
        """Return watched jobs that are finished, in the order of their ids."""
        ...

    async def held_after(self, job_ids: Sequence[UUID], *, limit: int) -> Sequence[Job]:
        """Return held jobs that follow one of these, in the order of their ids."""
        ...

    async def tallies(self, callbacks: Sequence[UUID]) -> Mapping[UUID, tuple[Job, Tally]]:
        """Return the callbacks that are there, and how the jobs of their batches stand, at one moment."""
        ...

    async def forget(self, ended: Sequence[Ended]) -> None:
        """Watch these no longer, but for those that somebody began to watch anew meanwhile."""
        ...
