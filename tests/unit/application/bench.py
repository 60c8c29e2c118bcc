"""A worker without an intake: the test hands claimed jobs to its runner."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import define

from jobmill.application.handler_tasks import HandlerTasks
from jobmill.application.handlers import JobContext
from jobmill.application.run import Run
from jobmill.domain.job import Job

from tests.nodes import Node
from tests.world import World

Work = Callable[[Mapping[str, Any], JobContext], Awaitable[object]]


async def works_off(node: Node, run: Run) -> None:
    """Run a claimed job in this worker; return when it is over."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    tasks: set[asyncio.Task[None]] = set()
    handlers = HandlerTasks(
        runs=node.runner,
        stopwatch=loop.time,
        begins=lambda _run: None,
        over=lambda _runs: over.set_result(None),
        spawn=lambda work: tasks.add(loop.create_task(work)),
        hurries=lambda: True,
    )
    node.keeper.watch([run])
    handlers.work_off([run])
    await over


@define(slots=False)
class Bench:
    """A worker whose keeper is at work, and to which the test hands claimed jobs."""

    world: World
    node: Node

    async def claims(self, **facts: Any) -> Run:
        job = self.world.has(**facts)
        [run] = (await self.node.claimer.claim([job])).runs
        return run

    async def runs(self, work: Work, **facts: Any) -> Job:
        """The row after a run of ``work``."""
        self.world.work = work
        run = await self.claims(**facts)
        await works_off(self.node, run)
        return self.world.job(run.job)

    async def begins(self, work: Work, **facts: Any) -> tuple[Run, "asyncio.Task[None]"]:
        """A run under way."""
        self.world.work = work
        run = await self.claims(**facts)
        task = asyncio.create_task(works_off(self.node, run))
        await self.world.turns()
        return run, task


def raising(error: BaseException) -> Work:
    async def work(_payload: Mapping[str, Any], _context: JobContext) -> object:
        raise error

    return work


def returning(value: object) -> Work:
    async def work(_payload: Mapping[str, Any], _context: JobContext) -> object:
        return value

    return work


async def sleeps(_payload: Mapping[str, Any], _context: JobContext) -> object:
    await asyncio.sleep(1_000)
    return "late"


def deaf_for(seconds: float, then: object = "late") -> Work:
    """A handler that does not let itself be cancelled, and then returns or raises."""

    async def work(_payload: Mapping[str, Any], _context: JobContext) -> object:
        try:
            await asyncio.sleep(1_000)
        except asyncio.CancelledError:
            await asyncio.sleep(seconds)
        if isinstance(then, BaseException):
            raise then
        return then

    return work
