"""What the private servers have in common: a place of their own, and the verbs of a fault test."""

import abc
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, TypeVar

from attrs import define, field

from tests.servers.errors import ServerEnded, ServerFailed
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

TRIES = 3


def clean_environment(**ours: str) -> dict[str, str]:
    """An environment in which no setting of the developer's own servers is left."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | ours


def make_place(kind: str) -> Path:
    """A new directory under the system's own temporary one; short, for sockets are refused long paths."""
    return Path(tempfile.mkdtemp(prefix=f"jobmill-{kind}-"))


@define(kw_only=True)
class PrivateServer(abc.ABC):
    """A server for one test alone, which may stop, kill, freeze and restart it as it likes.

    Its ports and its data stay the same over a restart. Everything waits with a deadline and raises
    ``ServerFailed`` when that is over.
    """

    STARTS_WITHIN_S: ClassVar[float] = 40.0
    STOPS_WITHIN_S: ClassVar[float] = 15.0
    STOP_SIGNAL: ClassVar[signal.Signals] = signal.SIGTERM

    place: Path
    _process: ServerProcess | None = field(default=None, init=False)

    @property
    @abc.abstractmethod
    def url(self) -> str:
        """Where clients connect; the same after every restart."""

    @property
    def runs(self) -> bool:
        """Whether the process lives; a frozen one does."""
        return self._process is not None and not self._process.has_ended

    async def start(self) -> None:
        """Start the server and wait until it answers. A running one is left alone."""
        if self.runs:
            return
        self._process = process = await self._launch()
        if not await until(self.answers, within_s=self.STARTS_WITHIN_S, hopeless=self._has_ended):
            kind = ServerEnded if process.has_ended else ServerFailed
            await process.kill()
            raise kind(f"{type(self).__name__} does not answer on {self.url}:\n{process.last_words()}")

    async def stop(self) -> None:
        """Shut the server down in good order; clients are told."""
        if self._process is not None:
            await self._process.stop(self.STOP_SIGNAL, within_s=self.STOPS_WITHIN_S)

    async def kill(self) -> None:
        """End the server as a crash would: nobody is told and nothing is tidied up."""
        if self._process is not None:
            await self._process.kill()

    async def restart(self) -> None:
        """Stop in good order and start again."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Let the server hang: connections stay open and nothing is answered, until ``thaw``."""
        if self._process is not None:
            self._process.freeze()

    def thaw(self) -> None:
        """Let a frozen server go on."""
        if self._process is not None:
            self._process.thaw()

    @abc.abstractmethod
    async def answers(self) -> bool:
        """Whether it is this server, and no other on the same port, that serves a client at this moment."""

    async def discard(self) -> None:
        """End whatever still runs and remove the data."""
        await self.kill()
        shutil.rmtree(self.place, ignore_errors=True)

    @abc.abstractmethod
    async def _launch(self) -> ServerProcess: ...

    def _has_ended(self) -> bool:
        return not self.runs


Server = TypeVar("Server", bound=PrivateServer)


@asynccontextmanager
async def running(make: Callable[[], Server]) -> AsyncGenerator[Server]:
    """A started server, gone at the end with its processes and its data."""
    server = await _started(make)
    try:
        yield server
    finally:
        await server.discard()


async def _started(make: Callable[[], Server]) -> Server:
    for tries_left in reversed(range(TRIES)):
        server = make()
        try:
            await server.start()
        except BaseException as error:
            await server.discard()
            if isinstance(error, ServerEnded) and tries_left:
                continue
            raise
        return server
    raise AssertionError("the last try returns or raises")
