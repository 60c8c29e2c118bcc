"""Serving HTTP inside a process that has other work as well."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from litestar import Litestar

from jobmill.application.errors import SetupFault
from jobmill.entrypoints.http.connection import BoundedConnection
from jobmill.entrypoints.settings import Settings

#: Several workers may run on one machine.
HEALTH_PORTS: Final = range(9464, 9474)
_TOGETHER_S: Final = 0.5
_KEEP_ALIVE_S: Final = 75
_GRACEFUL_S: Final = 3
_BACKLOG: Final = 2_048
_TICK_S: Final = 1.0


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: the process decides when to stop.

    It ticks once a second, for the date in its answers, where uvicorn would ten times.
    """

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event) -> None:
        super().__init__(config)
        self._stop = stop

    async def main_loop(self) -> None:
        """Tick until it is time to stop."""
        while not (self._stop.is_set() or await self.on_tick(0)):
            try:
                async with asyncio.timeout(_TICK_S):
                    await self._stop.wait()
            except TimeoutError:
                pass

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def check_bind(settings: Settings) -> None:
    """Refuse an address that others can reach unless that was said explicitly.

    Raises:
        SetupFault: with the mend.
    """
    if not settings.is_local and not settings.open:
        raise _reached_by_others("JOBMILL_HOST", settings.host)


def check_metrics_bind(settings: Settings) -> None:
    """Refuse the like for what a worker shows of itself; errors as in ``check_bind``."""
    if not settings.is_metrics_local and not settings.open:
        raise _reached_by_others("JOBMILL_METRICS_HOST", settings.metrics_host)


def _reached_by_others(name: str, host: str) -> SetupFault:
    return SetupFault(
        f"{name}={host} can be reached by others and there are no API keys; "
        f"set JOBMILL_OPEN=1 if you want that, or leave {name} at 127.0.0.1"
    )


def bind(settings: Settings) -> list[socket.socket]:
    """Return listening sockets; for this machine only, on IPv4 and IPv6, since ``localhost`` may be either.

    Raises:
        SetupFault: the port is taken, or the address is not ours.
    """
    hosts = ["127.0.0.1", "::1"] if settings.is_local else [settings.host]
    sockets: list[socket.socket] = []
    try:
        for host in hosts:
            sockets += _listen(host, settings.port, required=host != "::1")
    except OSError as error:
        for each in sockets:
            each.close()
        if error.errno == errno.EADDRINUSE:
            other = settings.port + 1
            mend = f"stop what listens there, or choose another: --port {other}"
            raise SetupFault(f"port {settings.port} is taken: {mend}") from None
        raise SetupFault(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    return sockets


def bind_health(settings: Settings) -> socket.socket:
    """Return a listening socket for a process that serves only how it is, on loopback unless told otherwise.

    Raises:
        SetupFault: the port that was set is taken, or all of those that may be tried; or the address is not
            ours.
    """
    ports = HEALTH_PORTS if settings.metrics_port is None else [settings.metrics_port]
    for port in ports:
        try:
            [listener] = _listen(settings.metrics_host, port, required=True)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            where = f"{settings.metrics_host}:{port}: {error.strerror}"
            mend = "set JOBMILL_METRICS_HOST and JOBMILL_METRICS_PORT to what is free on this machine"
            raise SetupFault(f"cannot listen on {where}; {mend}") from None
        return listener
    tried = f"{ports[0]} to {ports[-1]}" if len(ports) > 1 else f"{ports[0]}"
    raise SetupFault(f"no port for /health: {tried} taken; set JOBMILL_METRICS_PORT to a free one")


def _listen(host: str, port: int, *, required: bool) -> list[socket.socket]:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # The protocol by its name: asyncio sends small answers at once only where it stands there.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    except OSError:
        if required:
            raise
        return []  # a machine without IPv6
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if required or error.errno == errno.EADDRINUSE:
            raise
        return []
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return [listener]


async def serve(
    app: Litestar,
    sockets: Sequence[socket.socket],
    *,
    stop: asyncio.Event,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serve until ``stop`` is set; open requests get three seconds to finish.

    Args:
        on_stop: ends what requests are waiting for.
    """
    config = uvicorn.Config(
        app,
        loop="none",
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACEFUL_S,
    )
    server = _Server(config, stop)
    serving = asyncio.create_task(server.serve(sockets=list(sockets)))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    on_stop()
    server.should_exit = True
    await serving


@asynccontextmanager
async def serving(app: Litestar, listener: socket.socket, *, stop: asyncio.Event) -> AsyncGenerator[None]:
    """Serve beside other work while the block lasts, or until ``stop`` is set."""
    task = asyncio.create_task(serve(app, [listener], stop=stop))
    try:
        yield
    finally:
        stop.set()
        await task


def stop_on_signals() -> asyncio.Event:
    """Return an event that the first SIGTERM or SIGINT sets; a later one ends the process at once.

    That is safe: what runs is taken up again when its lease is over. Signals that come together count as
    one, since ``timeout`` and some terminals send theirs twice.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    first_s = 0.0

    def on_signal(number: int) -> None:
        nonlocal first_s
        if not stop.is_set():
            first_s = loop.time()
            stop.set()
        elif loop.time() - first_s > _TOGETHER_S:
            os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stop
