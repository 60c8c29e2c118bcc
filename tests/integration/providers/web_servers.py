"""Web servers for tests: one that behaves, and one that sends whatever bytes it is told."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext

from aiohttp import web
from attrs import define, field


@define(eq=False)
class WebServer:
    """Remembers every request and answers by ``answer``.

    Args:
        connections: the clients' ports; as many as there were connections.
    """

    answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
    port: int = 0
    requests: list[web.Request] = field(factory=list)
    bodies: list[bytes] = field(factory=list)
    connections: set[int] = field(factory=set)

    @property
    def url(self) -> str:
        """The root of the server."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.requests.append(request)
        self.bodies.append(await request.read())
        if request.transport is not None:
            self.connections.add(request.transport.get_extra_info("peername")[1])
        return await self.answer(request)


async def ok(_: web.Request) -> web.StreamResponse:
    """Say yes, and nothing else."""
    return web.Response(text="ok")


@asynccontextmanager
async def a_web_server(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = ok,
    *,
    host: str = "127.0.0.1",
    tls: SSLContext | None = None,
) -> AsyncGenerator[WebServer]:
    """Run a server on a free port of this machine."""
    server = WebServer(answer=answer)
    app = web.Application(client_max_size=1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0, ssl_context=tls).start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def a_server_that_sends(*pieces: bytes, then_hangs: bool = False) -> AsyncGenerator[str]:
    """Run a server that reads a request's head, sends the pieces, and hangs up or hangs; yields its URL."""
    over = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if then_hangs:
                await over.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close() if pieces else writer.transport.abort()

    def meet(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        over.set()
        server.close()
        await asyncio.gather(*tasks)
        await server.wait_closed()
