"""Handlers that pay in the transaction in which their job succeeds."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from jobmill.application.handlers import JobContext
from jobmill.domain.job import Job

from tests.world import World

Payload = Mapping[str, Any]
After = Callable[[JobContext], Awaitable[object]]


def paying(after: After | None = None) -> Callable[[Payload, JobContext], Awaitable[object]]:
    """A handler that pays in its transaction, and then does ``after``."""

    async def work(_payload: Payload, context: JobContext) -> object:
        async with context.transaction() as db:
            await db.execute("pay", context.job_id)
        return await after(context) if after is not None else None

    return work


def paid(world: World, job: Job) -> int:
    return [effect.parameters for effect in world.tables.effects].count(job.id)
