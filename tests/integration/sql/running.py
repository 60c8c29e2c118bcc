"""A whole Jobmill in this process, on a real database, and clients of every kind."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final

from attrs import frozen

import jobmill
from jobmill import Client, SyncClient
from jobmill.entrypoints.container import metrics_of, open_container, open_registry
from jobmill.entrypoints.engine import Engine
from jobmill.entrypoints.http.app import create_app
from jobmill.entrypoints.http.services import HttpServices
from jobmill.entrypoints.serving import serve
from jobmill.entrypoints.settings import Settings

HANDLERS: Final = "tests.integration.sql.shop"


@frozen(kw_only=True)
class Running:
    """Where it can be reached."""

    database_url: str
    http_url: str
    stop: asyncio.Event


@asynccontextmanager
async def run_mill(database_url: str, *, works: bool = True) -> AsyncGenerator[Running]:
    """A worker and an API. Of what clients store it hears through the leader alone, as on PostgreSQL.

    Args:
        works: False for one that takes jobs and runs none.
    """
    settings = Settings(database_url=database_url, handlers=(HANDLERS,))
    async with AsyncExitStack() as stack:
        registry = await stack.enter_async_context(open_registry(settings))
        container = await stack.enter_async_context(open_container(settings, registry))
        engine = Engine(
            relay=container.relay(),
            commits=container.commits(),
            store=container.store(),
            observer=container.observer(),
            consumer=container.consumer() if works else None,
            keeper=container.keeper() if works else None,
            leader=container.leader() if works else None,
            forwarder=container.forwarder() if works else None,
            follow_ups=container.follow_ups() if works else None,
            attendance=container.attendance() if works else None,
        )
        _failed = await stack.enter_async_context(engine.running())
        services = HttpServices(
            submitter=container.submitter(),
            operator=container.operator(),
            inspector=container.inspector(),
            registry=registry,
            readiness=_all_well,
            is_local=True,
            version="1",
            providers=container.store().providers,
            metrics=metrics_of(container, works=works),
            watch=container.watch(),
        )
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        stop = asyncio.Event()
        serving = asyncio.create_task(
            serve(create_app(services), [listener], stop=stop, on_stop=container.watch().stop)
        )
        port = listener.getsockname()[1]
        yield Running(database_url=database_url, http_url=f"http://127.0.0.1:{port}", stop=stop)
        stop.set()
        await serving


async def _all_well() -> Mapping[str, str]:
    return {}


class _InThread:
    """A client that is not async, whose calls are made in threads, so that one test serves both kinds."""

    def __init__(self, client: SyncClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(asyncio.to_thread, getattr(self._client, name))


@asynccontextmanager
async def open_client(kind: str, mill: Running) -> AsyncGenerator[Client]:
    """A client as ``kind`` says: ``database`` or ``http``, with ``-sync`` at the end or without."""
    url = mill.http_url if kind.startswith("http") else mill.database_url
    if kind.endswith("-sync"):
        with jobmill.connect_sync(url) as client:
            threaded: Any = _InThread(client)
            yield threaded
    else:
        async with jobmill.connect(url) as opened:
            yield opened
