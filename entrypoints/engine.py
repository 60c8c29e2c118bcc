"""Running the services of one process, and shutting them down in the right order."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from attrs import frozen

from jobmill.application.attendance import Attendance
from jobmill.application.commits import Commits
from jobmill.application.consumer import Consumer
from jobmill.application.errors import Unavailable
from jobmill.application.follow_ups import FollowUps
from jobmill.application.forwarder import Forwarder
from jobmill.application.ingress import IngressReaders
from jobmill.application.leader import Leader
from jobmill.application.lease_keeper import LeaseKeeper
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.store import Store
from jobmill.application.progress_writer import ProgressWriter
from jobmill.application.provider_guard import Protection
from jobmill.application.relay import Relay
from jobmill.application.type_keeper import TypeKeeper

_DRAIN_S = 5.0
_FOREIGN_PAUSE_S = 1.0
#: How long the first job may wait for the presence lock, which shortens its recovery and nothing else.
_LOCK_WITHIN_S = 2.0


async def _in_this_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    await work()


class EngineFailed(Exception):
    """A service ended by itself: a fault of ours, so the process had better start anew."""


class _Service(Protocol):
    def run(self) -> Coroutine[Any, Any, None]: ...


@frozen(kw_only=True)
class Engine:
    """The services that run beside a process's entrance.

    Args:
        consumer, keeper, progress, leader, forwarder, follow_ups, attendance, ingress: None in a process
            that only announces what it stored.
        protection: guards the providers of the jobs that run here; None where none do.
        types: shows which types this process runs, and sees which the others do; None to do without.
        aside: runs the attendance, in a process on a loop of its own that no handler holds up.
        watches_store: also announce what other processes stored, where the store can tell.
        grace_s: how long running jobs may take to finish at shutdown.
    """

    relay: Relay
    commits: Commits
    store: Store
    observer: Observer
    consumer: Consumer | None = None
    keeper: LeaseKeeper | None = None
    progress: ProgressWriter | None = None
    leader: Leader | None = None
    forwarder: Forwarder | None = None
    follow_ups: FollowUps | None = None
    attendance: Attendance | None = None
    protection: Protection | None = None
    ingress: IngressReaders | None = None
    types: TypeKeeper | None = None
    aside: Callable[[Callable[[], Coroutine[Any, Any, None]]], Coroutine[Any, Any, None]] = _in_this_loop
    watches_store: bool = False
    grace_s: float = 25.0

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["asyncio.Future[None]"]:
        """Run everything while the block lasts; the value fails with ``EngineFailed`` if a service ends."""
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        attending = []
        if self.attendance is not None:
            attending.append(self._start(self.aside(self.attendance.run), failed))
            await _settled(self.attendance)
        services = self._start_all([self.relay, self.progress, self.protection], failed)
        if self.keeper is not None:
            services.append(self._start(self.keeper.keep(), failed))
        chores = self._start_all([self.leader, self.forwarder, self.follow_ups], failed)
        if self.watches_store:
            chores.append(self._start(self._announce_foreign(), failed))
        if self.types is not None:
            works = self.consumer is not None
            await self.types.begin(works=works)  # before the first job, of which others may know more
            chores.append(self._start(self.types.run(works=works), failed))
        intake = self._start_all([self.consumer, self.ingress], failed)
        try:
            yield failed
        finally:
            await self._shut_down(chores, intake, services)
            if self.keeper is None or not self.keeper.runs:  # else only our end proves that they ended
                await _end(attending)
            failed.cancel()

    async def _shut_down(
        self,
        chores: list["asyncio.Task[None]"],
        intake: list["asyncio.Task[None]"],
        services: list["asyncio.Task[None]"],
    ) -> None:
        """Stop taking, finish or hand back, announce what that left; only then let go of the leases."""
        if self.ingress is not None:
            await self.ingress.stop()
        if self.consumer is not None:
            await self.consumer.stop(grace_s=self.grace_s)
        await _end(chores)
        if self.types is not None and self.consumer is not None:
            await self.types.leave()  # after its last word there, or that would show it alive again
        if self.leader is not None:
            await self.leader.resign()
        await self.commits.drain()
        await self.relay.drained(within_s=_DRAIN_S)
        await _end(intake + services)

    def _start_all(
        self, services: Sequence["_Service | None"], failed: "asyncio.Future[None]"
    ) -> list["asyncio.Task[None]"]:
        """Start those that this process has."""
        return [self._start(service.run(), failed) for service in services if service is not None]

    def _start(self, work: Coroutine[Any, Any, None], failed: "asyncio.Future[None]") -> "asyncio.Task[None]":
        task = asyncio.create_task(work)

        def ended(task: "asyncio.Task[None]") -> None:
            if task.cancelled() or failed.done():
                return
            error = task.exception()
            if error is not None:
                failed.set_exception(EngineFailed(f"a service ended: {error!r}"))

        task.add_done_callback(ended)
        return task

    async def _announce_foreign(self) -> None:
        """Publish at once what another process, such as ``jobmill submit``, has just stored."""
        while True:
            try:
                await self.store.foreign_commit()
                await self.relay.sweep(older_than=timedelta(0))
            except Unavailable as error:
                self.observer.noted("other processes' jobs wait for the next sweep", reason=str(error))
                await asyncio.sleep(_FOREIGN_PAUSE_S)


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


async def _settled(attendance: Attendance) -> None:
    """Wait until it is known whether this process has a lock, for a moment at most."""
    known = asyncio.Event()
    attendance.listen(partial(asyncio.get_running_loop().call_soon_threadsafe, known.set))
    if attendance.is_settled:
        return
    try:
        async with asyncio.timeout(_LOCK_WITHIN_S):
            await known.wait()
    except TimeoutError:
        pass
