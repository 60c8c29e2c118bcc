"""A client's way to Jobmill where the services run in its own process, on the database itself."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from attrs import Factory, field, frozen

from jobmill.application.batches import BatchReport, report_of
from jobmill.application.commands import SubmitJob
from jobmill.application.gateway import Gateway
from jobmill.application.handlers import JobType
from jobmill.application.inspector import Inspector
from jobmill.application.operator import Operator
from jobmill.application.ports.job_finder import JobQuery
from jobmill.application.public_job import Job, seen_from_outside
from jobmill.application.submission import place_of_each
from jobmill.application.submitter import Submitter
from jobmill.application.watch import Watch


@frozen(kw_only=True)
class ServiceGateway(Gateway):
    """The services themselves."""

    submitter: Submitter
    operator: Operator
    inspector: Inspector
    watch: Watch = field(default=Factory(lambda self: Watch(finder=self.inspector.finder), takes_self=True))

    async def submit(
        self,
        unit: Sequence[SubmitJob],
        *,
        types: Sequence[JobType[Any]] = (),
        callback: SubmitJob | None = None,
    ) -> Sequence[Job]:
        """See ``Gateway``."""
        for declared in types:
            self.submitter.registry.learn(declared)
        pointer = place_of_each(unit, is_batch=callback is not None)
        accepted = await self.submitter.submit(unit, callback=callback, pointer=pointer)
        return [seen_from_outside(each.job, replayed=each.replayed) for each in accepted]

    async def get(self, job_id: UUID) -> Job:
        """See ``Gateway``."""
        story = await self.inspector.story(job_id)
        return seen_from_outside(story.job, progress=story.progress)

    async def batch(self, batch_id: UUID) -> BatchReport:
        """See ``Gateway``."""
        return report_of(*await self.inspector.batch(batch_id))

    async def page(self, query: JobQuery) -> Sequence[Job]:
        """See ``Gateway``."""
        return [seen_from_outside(job) for job in (await self.inspector.page(query)).jobs]

    async def wait(self, job_id: UUID, *, within: timedelta) -> Job:
        """See ``Gateway``."""
        job = await self.get(job_id)
        if job.is_finished or within <= timedelta(0):
            return job
        await self.watch.finished(job_id, within_s=within.total_seconds())
        return await self.get(job_id)

    async def cancel(self, job_id: UUID) -> Job:
        """See ``Gateway``."""
        return seen_from_outside(await self.operator.cancel(job_id))

    async def requeue(self, job_id: UUID, *, payload: dict[str, Any] | None) -> Job:
        """See ``Gateway``."""
        return seen_from_outside(await self.operator.requeue(job_id, payload=payload))
