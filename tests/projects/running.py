"""The projects as their users run them: a server of the framework's own, and requests over HTTP."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import httpx
from attrs import frozen

from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

ROOT: Final = Path(__file__).parents[2]
WITHIN_S: Final = 60.0
MAIL: Final = {"email": "ada@example.com"}


@frozen(kw_only=True)
class Project:
    """A shop, and how it is served.

    Args:
        serve: the command, with ``{port}`` where the port belongs.
        prepare: what has to be run once before.
        done: the column that its job sets.
    """

    name: str
    serve: str
    prepare: str | None = None
    job_type: str
    table: str
    done: str

    @property
    def handlers(self) -> str:
        return f"tests.projects.{self.name}.jobs"


FASTAPI: Final = Project(
    name="fastapi_shop",
    serve="-m uvicorn tests.projects.fastapi_shop.web:app --port {port}",
    job_type="order.confirm",
    table="fastapi_orders",
    done="is_confirmed",
)
DJANGO: Final = Project(
    name="django_shop",
    prepare="-m django migrate --run-syncdb",
    serve="-m django runserver --noreload {port}",
    job_type="order.bill",
    table="django_orders",
    done="is_billed",
)
FLASK: Final = Project(
    name="flask_shop",
    serve="-m flask --app tests.projects.flask_shop.web run --port {port}",
    job_type="order.pack",
    table="flask_orders",
    done="is_packed",
)


@frozen(kw_only=True)
class State:
    """What the database holds of one shop."""

    orders: int
    done: int
    jobs: Sequence[tuple[str, int]]  # the state of each, and its attempts


@frozen(kw_only=True)
class Shop:
    """A project that is being served."""

    project: Project
    url: str
    database_url: str

    async def order(self) -> int:
        """Place an order; the status of the answer."""
        return await self._post("/orders")

    async def order_with_a_bad_card(self) -> int:
        """Place an order that is given up after its job was submitted; the status of the answer."""
        return await self._post("/orders/declined")

    async def state(self) -> State:
        connection = await asyncpg.connect(self.database_url)
        try:
            table, done = self.project.table, self.project.done
            jobs = await connection.fetch(
                "SELECT state, attempt FROM jobs WHERE type = $1", self.project.job_type
            )
            return State(
                orders=await connection.fetchval(f"SELECT count(*) FROM {table}"),
                done=await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {done}"),
                jobs=[(row["state"], row["attempt"]) for row in jobs],
            )
        finally:
            await connection.close()

    async def _post(self, path: str) -> int:
        async with httpx.AsyncClient(base_url=self.url, timeout=30.0) as client:
            return (await client.post(path, json=MAIL)).status_code


@asynccontextmanager
async def served(project: Project, database_url: str, folder: Path) -> AsyncGenerator[Shop]:
    """Serve a project while the block lasts."""
    [port] = free_ports(1)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("JOBMILL_")}
    settings = {
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": f"tests.projects.{project.name}.settings",
    }
    log = folder / f"{project.name}.log"

    def start(arguments: str) -> ServerProcess:
        command = [sys.executable, *arguments.format(port=port).split()]
        return ServerProcess.start(command, log=log, cwd=ROOT, env={**kept, **settings})

    if project.prepare is not None:
        preparing = start(project.prepare)
        assert await preparing.wait(within_s=WITHIN_S) == 0, preparing.last_words()
    server = start(project.serve)
    try:

        async def answers() -> bool:
            try:
                await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            return True

        assert await until(answers, within_s=WITHIN_S, hopeless=lambda: server.has_ended), server.last_words()
        yield Shop(project=project, url=f"http://127.0.0.1:{port}", database_url=database_url)
    finally:
        await server.kill()
