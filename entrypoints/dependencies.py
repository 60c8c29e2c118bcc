"""The servers a process stands on: waiting for them, and saying how they are."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from jobmill.application.attendance import Attendance
from jobmill.application.errors import SetupFault, Unavailable
from jobmill.application.ports.message_bus import MessageBus
from jobmill.application.ports.store import Store
from jobmill.application.ports.topology import Topology
from jobmill.entrypoints.container import Container
from jobmill.entrypoints.http.services import OK

_RETRY_FIRST_S: Final = 0.5
_RETRY_MAX_S: Final = 10.0
_log = logging.getLogger(__name__)


async def until_ready(store: Store, topology: Topology | None) -> None:
    """Wait until database and broker can be used, and say what is waited for.

    A broker that was in use before and has lost its queues gets them again. Else a worker that starts after
    the loss would wait for a leader, which only a worker can be.

    Raises:
        SetupFault: waiting will not help; a person has to mend something.
    """
    await _retried(store.check)
    if topology is not None:
        await _retried(lambda: _verify(store, topology))


async def _verify(store: Store, topology: Topology) -> None:
    try:
        await topology.verify()
    except SetupFault as fault:
        if (await store.epochs.current()).epoch is None:
            raise  # it was never used with this database: a person says that this is the right broker
        _log.warning("the broker has lost what it had, creating it again: %s", fault)
        await topology.apply()


async def first_look(store: Store) -> None:
    """Look at the database once; a process that serves starts without it, if it has to.

    Raises:
        SetupFault: a person has to mend something.
    """
    try:
        await store.check()
    except Unavailable as error:
        _log.warning("starting without the database: %s", error)


@asynccontextmanager
async def declaring(topology: Topology | None, failed: "asyncio.Future[None]") -> AsyncGenerator[None]:
    """Create what the broker lacks: at once if it can be reached, else as soon as it can.

    Raises:
        SetupFault: the broker refuses; a person has to mend something.
    """
    if topology is None:
        yield
        return
    try:
        await topology.apply()
    except Unavailable as error:
        _log.warning("starting without the broker: %s", error)
    else:
        yield
        return
    later = asyncio.create_task(_retried(topology.apply))
    later.add_done_callback(lambda task: _pass_on(task, failed))
    try:
        yield
    finally:
        later.cancel()


def readiness_of(container: Container) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """Return a function that tells how each part is: ``ok`` or what is wrong."""
    store: Store = container.store()
    bus: MessageBus = container.bus()
    attendance: Attendance = container.attendance()

    async def look() -> Mapping[str, str]:
        try:
            await store.check()
        except (Unavailable, SetupFault) as error:
            database = str(error)
        else:
            database = OK
        parts = {"database": database, "broker": OK if bus.is_up else "the broker cannot be reached"}
        if attendance.is_asked_for:
            parts["presence"] = attendance.trouble or OK
        return parts

    return look


async def _retried(attempt: Callable[[], Awaitable[object]]) -> None:
    wait_s = _RETRY_FIRST_S
    while True:
        try:
            await attempt()
        except Unavailable as error:
            _log.warning("waiting: %s; next try in %g s", error, wait_s)
        else:
            return
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, _RETRY_MAX_S)


def _pass_on(task: "asyncio.Task[None]", failed: "asyncio.Future[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None and not failed.done():
        failed.set_exception(error)
