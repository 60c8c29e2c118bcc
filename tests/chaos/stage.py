"""Everything a trial plays on: two servers, a wire to each, and the crew."""

import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
from attrs import frozen

from tests.chaos.crew import Crew, Member
from tests.chaos.recorder import SCHEMA, SETTING
from tests.chaos.wire import Wire, wire_to
from tests.servers.addresses import postgres_url
from tests.servers.ports import free_ports
from tests.servers.private_postgres import PrivatePostgres, private_postgres
from tests.servers.private_rabbitmq import PrivateRabbit, private_rabbitmq
from tests.servers.process import ServerProcess

ROOT: Final = Path(__file__).parents[2]
JOBMILL: Final = str(Path(sys.executable).with_name("jobmill"))
DATABASE: Final = "jobmill"
PREFIX: Final = "jobmill"
QUEUES: Final = ("default", "slow", "call", "email", "push", "simulate", "sms", "webhook")
#: Where the trial's own jobs go.
LANES: Final = tuple(f"{queue}.{priority}" for queue in QUEUES[:2] for priority in ("high", "normal", "low"))
GRACE_S: Final = 4
_COMMAND_WITHIN_S: Final = 60.0


@frozen(kw_only=True)
class Stage:
    """What faults act on.

    Args:
        database_url: past the wire, for those who watch.
    """

    rabbit: PrivateRabbit
    postgres: PrivatePostgres
    broker_wire: Wire
    database_wire: Wire
    database_url: str
    crew: Crew
    api_urls: tuple[str, ...]
    folder: Path


@asynccontextmanager
async def open_stage(folder: Path, *, apis: int, workers: int, slots: int) -> AsyncGenerator[Stage]:
    """Start servers and crew; all of it is gone at the end, but for the logs in ``folder``."""
    async with AsyncExitStack() as stack:
        rabbit = await stack.enter_async_context(private_rabbitmq())
        postgres = await stack.enter_async_context(private_postgres())
        database_url = await _make_database(postgres)
        broker_wire = await stack.enter_async_context(wire_to(rabbit.url))
        database_wire = await stack.enter_async_context(wire_to(postgres.url, path=f"/{DATABASE}"))
        settings = {
            "JOBMILL_DATABASE_URL": database_wire.url,
            "JOBMILL_BROKER_URL": broker_wire.url,
            "JOBMILL_PREFIX": PREFIX,
            "JOBMILL_HANDLERS": "tests.chaos.handlers",
            "JOBMILL_HOME": str(folder / "home"),
            "JOBMILL_LOG": "warning",
            "JOBMILL_LOG_FORMAT": "console",
            "JOBMILL_CONCURRENCY": str(slots),
            "JOBMILL_SHUTDOWN_GRACE_S": str(GRACE_S),
            SETTING: database_url,
        }
        for command in (("migrate",), ("topology", "apply")):
            await _run(command, settings, folder)
        await _execute(database_url, SCHEMA)
        crew = _crew(folder, settings, apis=apis, workers=workers)
        stack.push_async_callback(crew.kill)
        await crew.start()
        yield Stage(
            rabbit=rabbit,
            postgres=postgres,
            broker_wire=broker_wire,
            database_wire=database_wire,
            database_url=database_url,
            crew=crew,
            api_urls=tuple(f"http://127.0.0.1:{each.env['JOBMILL_PORT']}" for each in crew.of("api")),
            folder=folder,
        )


def _crew(folder: Path, settings: Mapping[str, str], *, apis: int, workers: int) -> Crew:
    ports = free_ports(apis + workers)
    members = [
        Member(
            name=f"api-{number + 1}",
            role="api",
            command=[JOBMILL, "api"],
            sign="http://",
            env=_environment(settings, JOBMILL_PORT=str(ports[number])),
            folder=folder,
            cwd=ROOT,
        )
        for number in range(apis)
    ]
    members += [
        Member(
            name=f"worker-{number + 1}",
            role="worker",
            command=[JOBMILL, "worker"],
            sign=" slots ",
            env=_environment(settings, JOBMILL_METRICS_PORT=str(ports[apis + number])),
            folder=folder,
            cwd=ROOT,
        )
        for number in range(workers)
    ]
    return Crew(members=members)


def _environment(settings: Mapping[str, str], **more: str) -> Mapping[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("JOBMILL_")}
    return {**kept, "COLUMNS": "200", **settings, **more}


async def _run(command: tuple[str, ...], settings: Mapping[str, str], folder: Path) -> None:
    log = folder / f"{'-'.join(command)}.log"
    process = ServerProcess.start([JOBMILL, *command], log=log, cwd=ROOT, env=_environment(settings))
    code = await process.wait(within_s=_COMMAND_WITHIN_S)
    assert code == 0, f"jobmill {' '.join(command)} exited {code}:\n{process.last_words()}"


async def _make_database(postgres: PrivatePostgres) -> str:
    await _execute(postgres.url, f'create database "{DATABASE}"')
    return postgres_url(postgres.url, database=DATABASE)


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
