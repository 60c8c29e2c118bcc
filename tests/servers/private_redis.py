"""A Redis server for one test alone, from the binary of this machine."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import define

from tests.servers.errors import NoAnswer, NoServer
from tests.servers.ports import free_ports
from tests.servers.private_server import PrivateServer, clean_environment, make_place, running
from tests.servers.probes import ask_redis
from tests.servers.process import ServerProcess


@define(kw_only=True)
class PrivateRedis(PrivateServer):
    """A throwaway server, open over loopback, which keeps nothing."""

    binary: Path
    port: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/"

    async def answers(self) -> bool:
        try:
            return bool(await ask_redis(self.url))
        except NoAnswer:
            return False

    async def _launch(self) -> ServerProcess:
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        return ServerProcess.start(
            [str(self.binary), *options],
            log=self.place / "server.log",
            cwd=self.place,
            env=clean_environment(HOME=str(self.place)),
        )


@asynccontextmanager
async def private_redis() -> AsyncGenerator[PrivateRedis]:
    """A started Redis of one's own.

    Raises:
        NoServer: Redis' server is not installed here.
    """
    found = shutil.which("redis-server")
    if found is None:
        raise NoServer("no redis-server on the search path")
    binary = Path(found)

    def make() -> PrivateRedis:
        [port] = free_ports(1)
        return PrivateRedis(place=make_place("redis").resolve(), binary=binary, port=port)

    async with running(make) as server:
        yield server
