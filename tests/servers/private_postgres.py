"""A PostgreSQL server for one test alone, from the binaries of this machine."""

import os
import pwd
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from attrs import define

from tests.servers.errors import NoAnswer, NoServer, ServerFailed
from tests.servers.ports import free_ports
from tests.servers.private_server import PrivateServer, clean_environment, make_place, running
from tests.servers.probes import ask_postgres
from tests.servers.process import ServerProcess

# Debian's and Red Hat's places; elsewhere the binaries are on the search path.
BINARY_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
ACCOUNTS_FOR_ROOT = ("postgres", "nobody")
INITDB_WITHIN_S = 40.0

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    # A killed process keeps what it wrote to the system's cache; only a power cut would lose it.
    "fsync": "off",
}


@define(kw_only=True)
class PrivatePostgres(PrivateServer):
    """A throwaway cluster, user ``postgres`` trusted over loopback, data kept over a restart."""

    STOP_SIGNAL: ClassVar[signal.Signals] = signal.SIGINT  # "fast": running transactions are broken off

    binaries: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        return self.place / "data"

    async def answers(self) -> bool:
        try:
            return await ask_postgres(self.url, question="show data_directory") == str(self.data)
        except NoAnswer:
            return False

    async def _launch(self) -> ServerProcess:
        if not self.data.exists():
            await self._make_cluster()
        options = [f"--{name}={value}" for name, value in OPTIONS.items()]
        return self._spawn("postgres", "-D", str(self.data), "-p", str(self.port), *options)

    async def _make_cluster(self) -> None:
        user = _account()
        if user:
            shutil.chown(self.place, user)
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        initdb = self._spawn("initdb", "-D", str(self.data), *options)
        if await initdb.wait(within_s=INITDB_WITHIN_S) != 0:
            raise ServerFailed(f"initdb did not make a cluster:\n{initdb.last_words()}")

    def _spawn(self, name: str, *arguments: str) -> ServerProcess:
        return ServerProcess.start(
            [str(self.binaries / name), *arguments],
            log=self.place / "server.log",
            cwd=self.place,
            env=clean_environment(HOME=str(self.place)),
            user=_account(),
        )


@asynccontextmanager
async def private_postgres() -> AsyncGenerator[PrivatePostgres]:
    """A started PostgreSQL of one's own.

    Raises:
        NoServer: PostgreSQL's server is not installed here.
    """
    binaries = postgres_binaries()

    def make() -> PrivatePostgres:
        [port] = free_ports(1)
        return PrivatePostgres(place=make_place("pg").resolve(), binaries=binaries, port=port)

    async with running(make) as server:
        yield server


def postgres_binaries() -> Path:
    """The directory of ``initdb`` and ``postgres``, the newest if there are several."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    for pattern in BINARY_PLACES:
        places += sorted(Path("/").glob(pattern.lstrip("/")), key=_version, reverse=True)
    for place in places:
        if all((place / name).exists() for name in ("initdb", "postgres")):
            return place
    raise NoServer("no initdb and postgres on the search path or in " + " or ".join(BINARY_PLACES))


def _version(place: Path) -> int:
    digits = "".join(character for character in place.parent.name if character.isdigit())
    return int(digits or 0)


def _account() -> str | None:
    """Whom to run as: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name for account in pwd.getpwall()}
    for name in ACCOUNTS_FOR_ROOT:
        if name in known:
            return name
    raise NoServer(f"PostgreSQL refuses to run as root, and there is none of {', '.join(ACCOUNTS_FOR_ROOT)}")
