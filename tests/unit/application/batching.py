"""A worker with a batch handler, which does what the test says and remembers its calls."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from attrs import define, field

from jobmill.application.handlers import BatchJob, JobHandlers, Registry
from jobmill.application.run import Run
from jobmill.domain.job import Job

from tests.builders import a_stamp
from tests.nodes import Node
from tests.world import QUICK, World

Jobs = list[BatchJob[dict[str, Any]]]
Work = Callable[[Jobs], Awaitable[object]]


@define(eq=False)
class Call:
    """One call, as it was."""

    at_s: float
    jobs: Jobs


@define(eq=False, kw_only=True)
class Press:
    """A world in which all jobs of the type ``print`` go to one batch handler."""

    world: World
    node: Node
    works: list[Work]
    calls: list[Call] = field(factory=list)

    @property
    def sizes(self) -> list[int]:
        """How many jobs each call had."""
        return [len(call.jobs) for call in self.calls]

    async def submits(self, *payloads: dict[str, Any], **wishes: Any) -> list[Job]:
        """Accept a job of each payload."""
        return [await self.world.submit(payload=each, type="print", **wishes) for each in payloads]

    async def announces(self, **facts: Any) -> Job:
        """A job that stands in the store with these facts, and whose notice comes."""
        job = self.world.has(type="print", **facts)
        [notice] = await self.world.client.store.outbox.announce([job.fence], rows=[a_stamp()])
        assert notice is not None
        self.world.client.relay.offer([notice])
        return job

    async def runs(self, work: Work, *payloads: dict[str, Any], within_s: float = 0.5) -> list[Job]:
        """The rows a moment after jobs with these payloads were accepted."""
        self.works[:] = [work]
        jobs = await self.submits(*payloads)
        await self.world.passes(within_s)
        return [self.world.job(job) for job in jobs]

    def run_of(self, job: Job) -> Run:
        """The run of a job at this moment."""
        return next(run for run in self.node.keeper.runs if run.job.id == job.id)


def press_in(world: World, *, concurrency: int = 10, **wishes: Any) -> Press:
    """A started worker."""
    handlers = JobHandlers()
    works: list[Work] = []
    calls: list[Call] = []
    rules: dict[str, Any] = {"jobs_max": 4, "wait": timedelta(milliseconds=100), "retry": QUICK}

    @handlers.register_batch("print", **rules | wishes)
    async def print_all(jobs: list[BatchJob[dict[str, Any]]]) -> None:
        calls.append(Call(asyncio.get_running_loop().time(), jobs))
        await works[0](jobs)

    world.registry = Registry([handlers])
    client = world.node(concurrency=None)
    world.client = client
    node = world.node(concurrency=concurrency)
    return Press(world=world, node=node, works=works, calls=calls)


async def all_succeed(jobs: Jobs) -> None:
    """Say of each job that it is done."""
    for job in jobs:
        job.succeed(len(jobs))


async def all_wait(jobs: Jobs) -> None:
    """Wait for long, and say of each job that it is done."""
    await asyncio.sleep(1_000)
    await all_succeed(jobs)
