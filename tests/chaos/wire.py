"""The network between Jobmill and a server: it can be cut, slowed down and swallowed up."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.servers.ports import free_ports

_CHUNK_BYTES = 256 * 1024


class Wire:
    """A TCP proxy before one server, with the same login and path.

    Args:
        upstream_url: where the server is.
        path: the path of ``url``, if it differs from the server's own.
    """

    def __init__(self, upstream_url: str, *, path: str | None = None) -> None:
        self._upstream = urlsplit(upstream_url)
        self._path = self._upstream.path if path is None else path
        [self._port] = free_ports(1)
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._delay_s = 0.0
        self._clients: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where Jobmill connects."""
        login = self._upstream.netloc.rpartition("@")[0]
        return self._upstream._replace(netloc=f"{login}@127.0.0.1:{self._port}", path=self._path).geturl()

    async def open(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    def cut(self, chance: random.Random, *, share: float = 1.0) -> int:
        """Reset a share of the connections, picked by ``chance``; return how many."""
        chosen = [client for client in list(self._clients) if chance.random() < share]
        for client in chosen:
            client.transport.abort()
        return len(chosen)

    def stall(self) -> None:
        """Swallow everything and tell nobody: connections stay, new ones are accepted and hear nothing."""
        self._flows.clear()

    def slow(self, delay_s: float) -> None:
        """Hold up every piece for so long."""
        self._delay_s = delay_s

    def heal(self) -> None:
        """Let everything through, what waits first."""
        self._delay_s = 0.0
        self._flows.set()

    async def close(self) -> None:
        """Let go of everything."""
        if self._server is not None:
            self._server.close()
        for pump in list(self._pumps):
            pump.cancel()
        if self._pumps:
            await asyncio.wait(set(self._pumps))
        for client in list(self._clients):
            client.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            await self._flows.wait()
            there, back = await asyncio.open_connection(
                self._upstream.hostname, self._upstream.port, limit=_CHUNK_BYTES
            )
        except OSError:
            self._drop(writer)
            return
        for source, sink in ((reader, back), (there, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(_CHUNK_BYTES):
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                await self._flows.wait()
                sink.write(chunk)
                await sink.drain()
        except (OSError, RuntimeError):  # uvloop's word for a transport that is closed
            pass  # one side is gone, so the other has to go
        finally:
            self._drop(sink)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._clients.discard(writer)
        writer.transport.abort()


@asynccontextmanager
async def wire_to(upstream_url: str, *, path: str | None = None) -> AsyncGenerator[Wire]:
    """A wire to the server at ``upstream_url``."""
    wire = Wire(upstream_url, path=path)
    await wire.open()
    try:
        yield wire
    finally:
        await wire.close()
