"""How a client reaches Jobmill: through the database, or over HTTP. A port, beside those of the services."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from jobmill.application.batches import BatchReport
from jobmill.application.commands import SubmitJob
from jobmill.application.handlers import JobType
from jobmill.application.ports.job_finder import JobQuery
from jobmill.application.public_job import Job


class Gateway(Protocol):
    """What a client can do.

    Every method may raise ``Unavailable`` and its kin, and by the same codes what the services behind raise:
    ``InvalidInput`` and its kin, ``IdempotencyConflict``, ``JobNotFound``, ``IllegalTransition``,
    ``StaleJob``.
    """

    async def submit(
        self,
        unit: Sequence[SubmitJob],
        *,
        types: Sequence[JobType[Any]] = (),
        callback: SubmitJob | None = None,
    ) -> Sequence[Job]:
        """Store up to 1,000 jobs, all or none, and answer by position, the callback last.

        Args:
            callback: makes them a batch: it runs when all of them have ended.
            types: those of the jobs whose code the caller has; others are looked up by their names.
        """
        ...

    async def get(self, job_id: UUID) -> Job:
        """Return a job as it stands."""
        ...

    async def batch(self, batch_id: UUID) -> BatchReport:
        """Return how a batch stands."""
        ...

    async def page(self, query: JobQuery) -> Sequence[Job]:
        """Return up to ``query.limit`` jobs."""
        ...

    async def wait(self, job_id: UUID, *, within: timedelta) -> Job:
        """Return a job when it is finished, or as it stands when the time is over."""
        ...

    async def cancel(self, job_id: UUID) -> Job:
        """Take a waiting job back, or ask a running one to stop."""
        ...

    async def requeue(self, job_id: UUID, *, payload: dict[str, Any] | None) -> Job:
        """Start a dead or cancelled job over, with an edited payload if one is given."""
        ...
