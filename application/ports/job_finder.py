"""The read side: one job, lists of jobs, counts."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from attrs import frozen

from jobmill.application.ports.progress import Progress
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import HistoryEntry


@frozen(kw_only=True)
class JobQuery:
    """Which jobs, in which order; every filter that is given must hold.

    Args:
        after: keyset cursor: only jobs that come after this id in the chosen order.
        created_from: jobs made at this time or later.
        created_before: jobs made earlier than this.
        newest_first: order by id, which is the order of creation.
        limit: 1 to 201.
    """

    states: frozenset[JobState] = frozenset()
    type: str | None = None
    queue: str | None = None
    tag: str | None = None
    tenant: str | None = None
    correlation_id: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    after: UUID | None = None
    newest_first: bool = True
    limit: int = 50


@frozen(kw_only=True)
class JobStory:
    """A job and the entries of its history, oldest first, at most the last 25.

    Args:
        progress: the last that one of its attempts said of itself.
    """

    job: Job
    history: tuple[HistoryEntry, ...]
    progress: Progress | None = None


class JobFinder(Protocol):
    """May lag behind writers and never blocks them. Raises ``StorageUnavailable``."""

    async def story(self, job_id: UUID) -> JobStory | None:
        """Return one job with its history, None if there is none."""
        ...

    async def finished(self, job_ids: Sequence[UUID]) -> Set[UUID]:
        """Return those of the jobs that are finished, or gone."""
        ...

    async def page(self, query: JobQuery) -> Sequence[Job]:
        """Return up to ``query.limit`` jobs."""
        ...

    async def counts(self) -> Mapping[tuple[str, JobState], int]:
        """Count the unfinished jobs and the dead letters by queue and state."""
        ...

    async def longest_waits(self, queues: Sequence[str]) -> Mapping[str, timedelta]:
        """Return for each queue how long ago that one of its queued jobs was announced that waits longest.

        By the store's clock. A job that was sent to the end of its line begins to wait anew. A queue without
        queued jobs is left out.
        """
        ...
