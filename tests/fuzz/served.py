"""The real HTTP application on a SQLite file, served by a thread: what a blocking client can ask."""

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from jobmill.application.ports.job_repository import NewJob
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.domain.states import DEAD, JobState
from jobmill.entrypoints.container import Container, migrate_store, open_container, open_registry
from jobmill.entrypoints.http.app import create_app
from jobmill.entrypoints.processes import _services
from jobmill.entrypoints.serving import bind, serve
from jobmill.entrypoints.settings import Settings

from tests.builders import a_job_that_is, an_id
from tests.servers.ports import free_ports

READY_WITHIN_S: Final = 20.0
#: Of each state, and of foreign messages: so many that a fuzzer does not use them up.
STOCK: Final = 60


@frozen(kw_only=True)
class Served:
    """A served application.

    Args:
        ids: those of jobs and messages in every state.
        dead: those of them that are dead letters.
    """

    url: str
    ids: tuple[str, ...]
    dead: tuple[str, ...]


@contextmanager
def served(folder: Path) -> Generator[Served]:
    """Serve until the block is left. No worker runs: nothing is sent to anybody."""
    [port] = free_ports(1)
    settings = Settings(home=folder, port=port, handlers=("tests.fuzz.stock",))
    ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, _Stock]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(settings, ready)), daemon=True)
    thread.start()
    loop, stop, stock = ready.result(READY_WITHIN_S)
    try:
        yield Served(url=f"http://127.0.0.1:{port}", ids=stock.ids, dead=stock.dead)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(READY_WITHIN_S)
        assert not thread.is_alive(), "the server did not end"


async def _serve(settings: Settings, ready: "Future[Any]") -> None:
    try:
        await migrate_store(settings)
        async with open_registry(settings) as registry, open_container(settings, registry) as container:
            stock = await _stocked(container)
            stop = asyncio.Event()
            container.watch().stop()  # nothing is ever finished here, so nobody is to wait for it
            app = create_app(_services(container, registry, settings, works=False))
            sockets = bind(settings)
            ready.set_result((asyncio.get_running_loop(), stop, stock))
            await serve(app, sockets, stop=stop)
            for each in sockets:
                each.close()
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise


async def _stocked(container: Container) -> "_Stock":
    """Fill the store with jobs in every state and with foreign messages."""
    store, now = container.store(), container.store().clock.now()
    payload = '{"duration_s":0}'
    jobs = [
        a_job_that_is(state, now=now, type="simulate", queue="default", payload=payload, id=an_id())
        for state in JobState
        for _ in range(STOCK)
    ]
    jobs = [evolve(job, tenant="t", tags=("x",), correlation_id="c") for job in jobs]
    await store.jobs.add([[NewJob(job=job)] for job in jobs])
    letters = [
        ForeignMessage(
            id=an_id(),
            received_at=now,
            source="default.normal",
            reason="not a parcel",
            content_type="text/plain",
            headers={"x-from": "elsewhere"},
            body=b"\x00\xff" * 10,
        )
        for _ in range(STOCK)
    ]
    await store.quarantine.keep(letters)
    foreign = tuple(str(letter.id) for letter in letters)
    return _Stock(
        ids=(*(str(job.id) for job in jobs), *foreign),
        dead=(*(str(job.id) for job in jobs if job.state in DEAD), *foreign),
    )


@frozen(kw_only=True)
class _Stock:
    ids: tuple[str, ...]
    dead: tuple[str, ...]
