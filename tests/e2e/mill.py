"""A mill of real processes in a folder of its own."""

import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from attrs import define, field

from jobmill.entrypoints.container import declared_registry, migrate_store, topology_of
from jobmill.entrypoints.settings import Settings

from tests.servers.process import ServerProcess
from tests.servers.waiting import until

#: The console script that is installed beside the interpreter of this test run.
JOBMILL = str(Path(sys.executable).with_name("jobmill"))
START_WITHIN_S = 30.0


@define(kw_only=True)
class Mill:
    """Starts `jobmill` commands with the same settings and watches them.

    Args:
        settings: environment variables beside those every command needs.
    """

    folder: Path
    port: int
    settings: Mapping[str, str] = field(factory=dict)
    _processes: list[ServerProcess] = field(init=False, factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *command: str, name: str = "jobmill") -> ServerProcess:
        """Start a command that stays; its output goes to ``<name>.log``."""
        process = ServerProcess.start(
            [JOBMILL, *command], log=self.folder / f"{name}.log", cwd=self.folder, env=self.environment()
        )
        self._processes.append(process)
        return process

    async def serves(self, process: ServerProcess) -> None:
        """Wait until HTTP answers."""

        async def answers() -> bool:
            try:
                return (await client.get(f"{self.url}/health/ready")).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        async with httpx.AsyncClient() as client:  # one for all looks: making it takes longer than a look
            ready = await until(answers, within_s=START_WITHIN_S, hopeless=lambda: process.has_ended)
        assert ready, process.last_words()

    async def says(self, process: ServerProcess, words: str) -> None:
        """Wait until a process prints these words."""

        async def printed() -> bool:
            return words in process.log.read_text()

        said = await until(printed, within_s=START_WITHIN_S, hopeless=lambda: process.has_ended)
        assert said, process.last_words()

    async def run(self, *command: str, within_s: float = 30.0) -> tuple[int, str]:
        """Run a command that ends; return its exit code and all it printed."""
        log = self.folder / f"command-{len(self._processes)}.log"
        process = ServerProcess.start([JOBMILL, *command], log=log, cwd=self.folder, env=self.environment())
        self._processes.append(process)
        code = await process.wait(within_s=within_s)
        return code, log.read_text()

    async def make_ready(self) -> None:
        """Do here what `jobmill migrate` and `jobmill topology apply` do, for the shipped types."""
        settings = Settings.from_env({**self.settings, "JOBMILL_HANDLERS": ""})
        await migrate_store(settings)
        topology = topology_of(settings, declared_registry(settings))
        assert topology is not None
        await topology.apply()

    async def end(self) -> None:
        """Kill whatever still runs."""
        for process in self._processes:
            await process.kill()

    def environment(self) -> Mapping[str, str]:
        """What every command runs with."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("JOBMILL_")}
        return {**kept, "JOBMILL_PORT": str(self.port), "COLUMNS": "200", **self.settings}


@asynccontextmanager
async def running_mill(folder: Path, port: int, settings: Mapping[str, str]) -> AsyncGenerator[Mill]:
    """Yield a mill whose processes are gone at the end."""
    mill = Mill(folder=folder, port=port, settings=settings)
    try:
        yield mill
    finally:
        await mill.end()


async def submit(client: httpx.AsyncClient, kind: str, payload: object, **options: object) -> dict[str, Any]:
    """Submit one job over HTTP and return it."""
    answer = await client.post("/api/jobs", json={"type": kind, "payload": payload, **options})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    job: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/jobs/{job['id']}"
    return job


async def ended(client: httpx.AsyncClient, job_id: str, *, within_s: float = 30.0) -> dict[str, Any]:
    """Wait until a job has ended and return it with its history."""
    seen: dict[str, Any] = {}

    async def is_over() -> bool:
        seen.update((await client.get(f"/api/jobs/{job_id}")).json())
        return seen["status"] in {"succeeded", "failed", "expired", "cancelled", "discarded"}

    assert await until(is_over, within_s=within_s), seen
    return seen


async def all_jobs(client: httpx.AsyncClient, **filters: str) -> list[dict[str, Any]]:
    """Read every page of the list."""
    found: list[dict[str, Any]] = []
    url: str | httpx.URL = httpx.URL("/api/jobs", params={"limit": "200", **filters})
    while url:
        answer = await client.get(url)
        found += answer.json()
        url = answer.links.get("next", {}).get("url", "")
    return found
