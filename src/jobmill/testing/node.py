"""One process of the world, which can be started, stopped and killed."""

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import Context, ContextVar
from typing import Any

from attrs import define, field

from jobmill.testing.services import LEASE, Services

__all__ = ["LEASE", "NODE", "Node", "Work", "follow_tasks"]

#: What a task runs.
Work = Coroutine[Any, Any, Any] | Generator[Any, None, Any]

#: The process whose task is running.
NODE: ContextVar["Node | None"] = ContextVar("node", default=None)


@define(eq=False, kw_only=True, slots=False)
class Node(Services):
    """A process. Without ``concurrency`` it only takes jobs in and announces them, as an API does."""

    tasks: "dict[asyncio.Task[Any], None]" = field(factory=dict)  # in the order of their making
    is_alive: bool = True
    _stop: asyncio.Event = field(factory=asyncio.Event, init=False)

    def embody(self, work: Work) -> Work:
        """Return a task's coroutine as this process runs it."""
        return work

    def start(self) -> None:
        """Run the process; everything it does carries its name."""
        NODE.set(self)
        self._life = asyncio.create_task(self._live())
        NODE.set(None)

    def task(self, work: Work) -> "asyncio.Task[Any]":
        """Run something more in this process, whichever process asks for it."""
        context = Context()
        context.run(NODE.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)

    @property
    def is_stopping(self) -> bool:
        """A signal has told it to end."""
        return self._stop.is_set()

    @property
    def fault(self) -> BaseException | None:
        """Why the process ended by itself, if it did."""
        return self._life.exception() if self._life.done() and not self._life.cancelled() else None

    async def stop(self) -> None:
        """Shut the process down as a signal would."""
        self._stop.set()
        await self._life
        self.is_alive = False

    def kill(self) -> None:
        """End the process in the middle of whatever it does: nothing of it reaches the world from here on."""
        self.is_alive = False
        self.cable.is_dead = True
        self.store.presence.sever()
        self.bus.disconnect()
        for task in tuple(self.tasks):
            task.cancel()

    async def _live(self) -> None:
        async with self.engine.running() as failed:
            stopped = asyncio.ensure_future(self._stop.wait())
            ends: set[asyncio.Future[Any]] = {failed, stopped}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if failed.done():
                failed.result()


def follow_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Let every task be known to the process it belongs to, so that the process can be killed."""

    def make(
        loop: asyncio.AbstractEventLoop,
        work: Work,
        **options: Any,
    ) -> "asyncio.Task[Any]":
        context: Context | None = options.get("context")
        node = NODE.get() if context is None else context.get(NODE)
        body = work if node is None else node.embody(work)
        task: asyncio.Task[Any] = asyncio.Task(body, loop=loop, **options)
        if node is not None:
            node.tasks[task] = None
            task.add_done_callback(lambda task: node.tasks.pop(task, None))
        return task

    loop.set_task_factory(make)
