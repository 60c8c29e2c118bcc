"""Opening clients: what ``jobmill.connect`` does. Nothing heavy is loaded before it is used."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType

from attrs import evolve

from jobmill.application.client import Client
from jobmill.application.opening import Access, Opener, Opening
from jobmill.application.sync_client import SyncClient


class Connecting:
    """A client to be opened: by ``async with``, or by ``open`` and ``close`` where a framework calls them."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._opening: Opening | None = None
        self._client: Client | None = None

    async def open(self) -> Client:
        """Open the client; it belongs to the running event loop."""
        opening = Opening(self._opener)
        access = await opening.open()
        self._opening, self._client = opening, Client(access.gateway, access.enlister)
        return self._client

    async def close(self) -> None:
        """Close the client and its connections; again is harmless."""
        opening, client = self._opening, self._client
        self._opening = self._client = None
        if client is not None:
            client.close()
        if opening is not None:
            await opening.close()

    async def __aenter__(self) -> Client:
        """Open the client."""
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()


def connect(url: str | None = None, *, api_key: str | None = None) -> Connecting:
    """Return a client to be opened: ``async with jobmill.connect() as mill``.

    Args:
        url: Jobmill's database (``postgresql://…``, ``sqlite:///…``), for which no broker is needed, since a
            running worker or ``jobmill up`` publishes what is stored; or the HTTP API (``http://…``,
            ``https://…``). None reads the environment as every command does: ``JOBMILL_DATABASE_URL``, else
            the database in ``./.jobmill``; and the handlers of ``JOBMILL_HANDLERS``.
        api_key: for the HTTP API.

    Opening raises ``SetupFault`` and its kin where a person has to mend something. No server has to be there:
    the first call that needs it will tell.
    """
    return Connecting(opener_of(url, api_key=api_key))


def connect_sync(url: str | None = None, *, api_key: str | None = None) -> SyncClient:
    """Return a client for code without an event loop; arguments as of ``connect``.

    It may be made at import time: it is opened by the first call that needs it. Close it by ``close()`` or by
    a ``with`` block, or leave it open until the process ends.
    """
    return SyncClient(opener_of(url, api_key=api_key))


def opener_of(url: str | None, *, api_key: str | None) -> Opener:
    """Return what opens the way to Jobmill that a URL names."""

    @asynccontextmanager
    async def open_database() -> AsyncGenerator[Access]:
        from jobmill.entrypoints.container import declared_registry, open_container
        from jobmill.entrypoints.settings import Settings
        from jobmill.entrypoints.store_file import check_file

        settings = Settings.here(os.environ) if url is None else Settings(database_url=url)
        check_file(settings)
        # A client has no bus, so none is to be loaded.
        settings = evolve(settings, broker_url=("memory://",))
        async with open_container(settings, declared_registry(settings), with_bus=False) as container:
            yield Access(gateway=container.service_gateway(), enlister=container.enlister())

    @asynccontextmanager
    async def open_http() -> AsyncGenerator[Access]:
        from jobmill.entrypoints.container import open_http_access

        assert url is not None
        async with open_http_access(url, api_key=api_key) as access:
            yield access

    is_http = url is not None and url.lower().startswith(("http://", "https://"))
    return open_http if is_http else open_database
