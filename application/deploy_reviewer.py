"""Before a deploy: which jobs the new code could not run."""

from collections.abc import AsyncGenerator, Callable
from typing import Final
from uuid import UUID

from attrs import frozen

from jobmill.application.errors import InvalidPayload
from jobmill.application.handlers import Registry
from jobmill.application.ports.job_finder import JobFinder, JobQuery
from jobmill.domain.errors import Fault
from jobmill.domain.job import Job
from jobmill.domain.states import DEAD, TERMINAL, JobState

#: Whatever may still be run: what is not finished, and what a person may start over.
REVIEWED: Final = (frozenset(JobState) - TERMINAL) | DEAD
PAGE_JOBS: Final = 200


@frozen(kw_only=True)
class Unreadable:
    """A job that the code of this process cannot run.

    Args:
        faults: every one with its place; ``/type`` for a type without a handler.
    """

    job: Job
    faults: tuple[Fault, ...]


@frozen(kw_only=True)
class DeployReviewer:
    """Decodes every job that may still be run, as a worker with this code would. Nothing is changed."""

    finder: JobFinder
    registry: Registry

    async def review(self, seen: Callable[[int], object]) -> AsyncGenerator[Unreadable]:
        """Go through the jobs from the oldest on, page by page, and yield those that cannot be run.

        Args:
            seen: told after each page how many jobs were looked at so far.

        Raises:
            StorageUnavailable: the rest was not looked at.
        """
        count = 0
        after: UUID | None = None
        while True:
            query = JobQuery(states=REVIEWED, after=after, newest_first=False, limit=PAGE_JOBS)
            jobs = await self.finder.page(query)
            for job in jobs:
                if faults := self._faults(job):
                    yield Unreadable(job=job, faults=faults)
            count += len(jobs)
            seen(count)
            if len(jobs) < PAGE_JOBS:
                return
            after = jobs[-1].id

    def _faults(self, job: Job) -> tuple[Fault, ...]:
        declared = self.registry.find(job.type)
        if declared is None:
            return (Fault(pointer="/type", detail=f"no handler declares the type {job.type!r}"),)
        try:
            declared.decode(job.payload, version=job.payload_version)
        except InvalidPayload as error:
            return error.faults
        return ()
