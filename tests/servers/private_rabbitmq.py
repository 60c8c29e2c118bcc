"""A RabbitMQ server for one test alone, from the binaries of this machine."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from attrs import define, field

from tests.servers.errors import NoAnswer, NoServer, ServerFailed
from tests.servers.ports import free_ports
from tests.servers.private_server import PrivateServer, clean_environment, make_place, running
from tests.servers.probes import ask_rabbitmq
from tests.servers.process import ServerProcess

# The wrapper that Debian puts on the search path changes to another user; the real script lies here.
SCRIPT_PLACES = ("/usr/lib/rabbitmq/bin", "/usr/lib/rabbitmq/lib/*/sbin", "/opt/rabbitmq/sbin")

CONFIG = """\
cluster_name = {node}
listeners.tcp.local = 127.0.0.1:{port}
log.file = false
log.console = true
log.console.level = warning
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 32000000
"""

# Two schedulers that sleep when idle: a test machine runs several of these side by side.
ERLANG_OPTIONS = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"


@define(kw_only=True)
class PrivateRabbit(PrivateServer):
    """A throwaway node with a name, a cookie, a home and a port mapper of its own; guest may do everything.

    Durable things and persistent messages are kept over a restart.
    """

    STOPS_WITHIN_S: ClassVar[float] = 30.0

    script: Path
    port: int
    distribution_port: int
    mapper_port: int
    #: Erlang terms for what the plain settings do not reach.
    advanced: str = "[]."
    plugins: Sequence[str] = ()
    node: str = field(factory=lambda: f"jobmill{secrets.token_hex(4)}@localhost")
    _mapper: ServerProcess | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    def environment(self) -> dict[str, str]:
        """What the server runs with, and what ``rabbitmqctl`` needs to reach it."""
        return clean_environment(
            HOME=str(self.place),
            ERL_EPMD_PORT=str(self.mapper_port),
            ERL_EPMD_ADDRESS="127.0.0.1",
            RABBITMQ_NODENAME=self.node,
            RABBITMQ_NODE_PORT=str(self.port),
            RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
            RABBITMQ_DIST_PORT=str(self.distribution_port),
            RABBITMQ_CONFIG_FILE=str(self.place / "rabbitmq.conf"),
            RABBITMQ_ADVANCED_CONFIG_FILE=str(self.place / "advanced.config"),
            RABBITMQ_CONF_ENV_FILE=str(self.place / "rabbitmq-env.conf"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(self.place / "enabled_plugins"),
            RABBITMQ_MNESIA_BASE=str(self.place / "data"),
            RABBITMQ_LOG_BASE=str(self.place / "log"),
            RABBITMQ_GENERATED_CONFIG_DIR=str(self.place / "config"),
            RABBITMQ_PID_FILE=str(self.place / "pid"),
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=ERLANG_OPTIONS,
            # The start script then becomes the server, so that the process we know is the one to end.
            RUNNING_UNDER_SYSTEMD="true",
        )

    async def answers(self) -> bool:
        try:
            return await ask_rabbitmq(self.url) == self.node
        except NoAnswer:
            return False

    async def control(self, *words: str) -> str:
        """Run ``rabbitmqctl`` and return what it prints.

        Raises:
            ServerFailed: it refused.
        """
        process = await asyncio.create_subprocess_exec(
            str(self.script.with_name("rabbitmqctl")),
            *words,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise ServerFailed(f"rabbitmqctl {' '.join(words)}: {output.decode()}")
        return output.decode()

    async def discard(self) -> None:
        await self.kill()
        if self._mapper is not None:
            await self._mapper.kill()
        await super().discard()

    async def _launch(self) -> ServerProcess:
        self._furnish()
        if self._mapper is None or self._mapper.has_ended:
            self._mapper = self._start_mapper()
        return ServerProcess.start(
            [str(self.script)], log=self.place / "server.log", cwd=self.place, env=self.environment
        )

    def _furnish(self) -> None:
        (self.place / "rabbitmq.conf").write_text(CONFIG.format(node=self.node, port=self.port))
        (self.place / "advanced.config").write_text(f"{self.advanced}\n")
        (self.place / "rabbitmq-env.conf").touch()
        (self.place / "enabled_plugins").write_text(f"[{','.join(self.plugins)}].\n")
        cookie = self.place / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(16))
            cookie.chmod(0o400)

    def _start_mapper(self) -> ServerProcess | None:
        """Start Erlang's port mapper in the foreground: one started by the node would outlive it."""
        program = shutil.which("epmd") or next(map(str, _newest("/usr/lib/erlang/erts-*/bin/epmd")), None)
        if program is None:
            return None
        return ServerProcess.start(
            [program, "-port", str(self.mapper_port), "-address", "127.0.0.1"],
            log=self.place / "mapper.log",
            cwd=self.place,
            env=clean_environment(HOME=str(self.place)),
        )


@asynccontextmanager
async def private_rabbitmq(
    *, advanced: str = "[].", plugins: Sequence[str] = ()
) -> AsyncGenerator[PrivateRabbit]:
    """A started RabbitMQ of one's own.

    Args:
        advanced: its advanced configuration, as Erlang terms.
        plugins: those that it has; none by default.

    Raises:
        NoServer: RabbitMQ is not installed here.
    """
    script = rabbitmq_script()

    def make() -> PrivateRabbit:
        port, distribution_port, mapper_port = free_ports(3)
        return PrivateRabbit(
            place=make_place("mq"),
            script=script,
            port=port,
            distribution_port=distribution_port,
            mapper_port=mapper_port,
            advanced=advanced,
            plugins=plugins,
        )

    async with running(make) as server:
        yield server


def rabbitmq_script() -> Path:
    """The script that starts a server."""
    if shutil.which("erl") is None:
        raise NoServer("no Erlang (erl) on the search path")
    for pattern in SCRIPT_PLACES:
        for script in _newest(f"{pattern}/rabbitmq-server"):
            return script
    on_path = shutil.which("rabbitmq-server")
    if on_path:
        return Path(on_path)
    raise NoServer("no rabbitmq-server on the search path or in " + " or ".join(SCRIPT_PLACES))


def _newest(pattern: str) -> list[Path]:
    return sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
