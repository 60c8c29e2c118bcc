"""A client's way to Jobmill where the services run in its own process, on the database itself."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from attrs import frozen

from jobmill.application.commands import SubmitJob
from jobmill.application.gateway import Gateway
from jobmill.application.handlers import JobType
from jobmill.application.inspector import Inspector
from jobmill.application.operator import Operator
from jobmill.application.ports.job_finder import JobQuery
from jobmill.application.public_job import Job, seen_from_outside
from jobmill.application.submission import place_of_each
from jobmill.application.submitter import Submitter

#: A finished job is looked for often at first, for most jobs are short, and then less and less.
LOOK_FIRST_S: Final = 0.02
LOOK_MAX_S: Final = 0.5
LOOK_GROWTH: Final = 1.3


@frozen(kw_only=True)
class ServiceGateway(Gateway):
    """The services themselves."""

    submitter: Submitter
    operator: Operator
    inspector: Inspector

    async def submit(self, unit: Sequence[SubmitJob], *, types: Sequence[JobType[Any]] = ()) -> Sequence[Job]:
        """See ``Gateway``."""
        for declared in types:
            self.submitter.registry.learn(declared)
        accepted = await self.submitter.submit(unit, pointer=place_of_each(unit))
        return [seen_from_outside(each.job, replayed=each.replayed) for each in accepted]

    async def get(self, job_id: UUID) -> Job:
        """See ``Gateway``."""
        return seen_from_outside((await self.inspector.story(job_id)).job)

    async def page(self, query: JobQuery) -> Sequence[Job]:
        """See ``Gateway``."""
        return [seen_from_outside(job) for job in (await self.inspector.page(query)).jobs]

    async def wait(self, job_id: UUID, *, within: timedelta) -> Job:
        """See ``Gateway``."""
        loop = asyncio.get_running_loop()
        until_s, pause_s = loop.time() + within.total_seconds(), LOOK_FIRST_S
        while True:
            job = await self.get(job_id)
            left_s = until_s - loop.time()
            if job.is_finished or left_s <= 0:
                return job
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * LOOK_GROWTH, LOOK_MAX_S)

    async def cancel(self, job_id: UUID) -> Job:
        """See ``Gateway``."""
        return seen_from_outside(await self.operator.cancel(job_id))

    async def requeue(self, job_id: UUID, *, payload: dict[str, Any] | None) -> Job:
        """See ``Gateway``."""
        return seen_from_outside(await self.operator.requeue(job_id, payload=payload))
