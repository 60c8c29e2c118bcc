"""A client's way into a virtual mill: the real services, in a process of their own."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from attrs import frozen

from jobmill.application.batches import BatchReport
from jobmill.application.commands import SubmitJob
from jobmill.application.gateway import Gateway
from jobmill.application.handlers import JobType
from jobmill.application.ports.job_finder import JobQuery
from jobmill.application.public_job import Job
from jobmill.application.service_gateway import ServiceGateway
from jobmill.testing.mill_world import MillWorld


@frozen(kw_only=True)
class VirtualGateway(Gateway):
    """Starts the mill at the first request."""

    world: MillWorld

    async def submit(
        self,
        unit: Sequence[SubmitJob],
        *,
        types: Sequence[JobType[Any]] = (),
        callback: SubmitJob | None = None,
    ) -> Sequence[Job]:
        """See ``Gateway``."""
        self.world.learn(types)
        jobs: Sequence[Job] = await self._asked("submit", unit, callback=callback)
        return jobs

    async def get(self, job_id: UUID) -> Job:
        """See ``Gateway``."""
        job: Job = await self._asked("get", job_id)
        return job

    async def batch(self, batch_id: UUID) -> BatchReport:
        """See ``Gateway``."""
        report: BatchReport = await self._asked("batch", batch_id)
        return report

    async def page(self, query: JobQuery) -> Sequence[Job]:
        """See ``Gateway``."""
        jobs: Sequence[Job] = await self._asked("page", query)
        return jobs

    async def wait(self, job_id: UUID, *, within: timedelta) -> Job:
        """See ``Gateway``."""
        job: Job = await self._asked("wait", job_id, within=within)
        return job

    async def cancel(self, job_id: UUID) -> Job:
        """See ``Gateway``."""
        job: Job = await self._asked("cancel", job_id)
        return job

    async def requeue(self, job_id: UUID, *, payload: dict[str, Any] | None) -> Job:
        """See ``Gateway``."""
        job: Job = await self._asked("requeue", job_id, payload=payload)
        return job

    async def _asked(self, verb: str, *args: object, **options: object) -> Any:  # noqa: ANN401 - the verb's
        self.world.open()
        client = self.world.client
        assert client is not None
        services = ServiceGateway(
            submitter=client.submitter, operator=client.operator, inspector=client.inspector
        )
        return await client.task(getattr(services, verb)(*args, **options))
