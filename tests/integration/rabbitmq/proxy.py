"""A TCP connection that a test can cut, freeze, refuse and let through again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

from tests.servers.ports import free_ports


class Proxy:
    """Stands between a bus and its broker; ``url`` is where the bus connects. It starts refusing."""

    def __init__(self, upstream_url: str) -> None:
        self._upstream = urlsplit(upstream_url)
        [self._port] = free_ports(1)
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        login = self._upstream.netloc.rpartition("@")[0]
        return urlunsplit(self._upstream._replace(netloc=f"{login}@127.0.0.1:{self._port}"))

    async def listen(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    def cut(self) -> None:
        """Break all connections, as a cable that is pulled and plugged in again."""
        for writer in list(self._open):
            writer.transport.abort()

    def stall(self) -> None:
        """Let nothing through, and tell nobody; new connections are accepted and get no answer."""
        self._flows.clear()

    def flow(self) -> None:
        """Let everything through that waits."""
        self._flows.set()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.flow()
        self.cut()
        for pump in list(self._pumps):
            pump.cancel()
        if self._pumps:
            await asyncio.wait(set(self._pumps))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        await self._flows.wait()
        try:
            there, back = await asyncio.open_connection(
                self._upstream.hostname or "", self._upstream.port or 5672
            )
        except OSError:
            writer.transport.abort()
            return
        self._open.add(back)
        for source, sink in ((reader, back), (there, writer)):
            pump = asyncio.get_running_loop().create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(65_536):
                await self._flows.wait()
                sink.write(chunk)
                await sink.drain()
        except OSError:
            pass  # one side is gone, so the other has to go
        finally:
            self._open.discard(sink)
            sink.transport.abort()


@asynccontextmanager
async def proxy_to(url: str, *, listens: bool = True) -> AsyncGenerator[Proxy]:
    """A proxy in front of the broker at ``url``."""
    proxy = Proxy(url)
    if listens:
        await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.close()
