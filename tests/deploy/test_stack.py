"""The stack of ``docker-compose.yml``, by its own commands, from binaries, while parts of it are killed."""

import asyncio
import json
import re
import shlex
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from attrs import frozen

from tests.deploy.clone import API, DEPLOY, here, loaded, services
from tests.examples.copied import CLONE
from tests.examples.nginx import nginx
from tests.examples.starting import answers, prints, succeeds
from tests.servers.ports import free_ports
from tests.servers.private_postgres import private_postgres
from tests.servers.private_rabbitmq import private_rabbitmq
from tests.servers.private_redis import private_redis
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

JOBS = 60
KILLED_AFTER = 20
AT_ONCE = 8
WITHIN_S = 60.0
METRICS = '[{{rabbitmq_prometheus, [{{tcp_config, [{{ip, "127.0.0.1"}}, {{port, {port}}}]}}]}}].'
RUNS = "SELECT count(*) > 0 FROM jobs WHERE worker LIKE $1 AND state = 'processing'"


@frozen(kw_only=True)
class Stack:
    """What runs, and the ways in.

    Args:
        own_urls: of the process of each kind that is not killed.
    """

    http: httpx.AsyncClient
    database: asyncpg.Connection
    metrics_url: str
    own_urls: Mapping[str, str]
    apis: list[ServerProcess]
    workers: list[ServerProcess]
    nginx: ServerProcess

    async def kill_one_of_each(self) -> None:
        """Kill a process of the API, and a worker that runs jobs."""

        async def is_busy() -> bool:
            return bool(await self.database.fetchval(RUNS, f"%:{self.workers[0].pid}:%"))

        assert await until(is_busy, within_s=WITHIN_S)
        await self.workers[0].kill()
        await self.apis[0].kill()


@pytest_asyncio.fixture
async def stack(tmp_path: Path) -> AsyncGenerator[Stack]:
    front, metrics, *ports = free_ports(6)
    async with AsyncExitStack() as opened:
        rabbitmq, postgres, redis = await asyncio.gather(
            opened.enter_async_context(
                private_rabbitmq(advanced=METRICS.format(port=metrics), plugins=["rabbitmq_prometheus"])
            ),
            opened.enter_async_context(private_postgres()),
            opened.enter_async_context(private_redis()),
        )
        #: What stands here for what the containers are given; nothing more, and nothing less.
        given = {
            "JOBMILL_DATABASE_URL": postgres.url,
            "JOBMILL_BROKER_URL": rabbitmq.url,
            "JOBMILL_REDIS_URL": redis.url,
            "JOBMILL_HOST": "127.0.0.1",
            "JOBMILL_METRICS_HOST": "127.0.0.1",
            "JOBMILL_OPEN": "0",
        }
        shell = here(tmp_path, port=front)
        opened.push_async_callback(shell.end)

        def start(name: str, port: int) -> ServerProcess:
            # Containers have an address each; here they have a port each.
            own = {
                "JOBMILL_PORT": str(port),
                "JOBMILL_METRICS_PORT": str(port),
                "JOBMILL_LOG_FORMAT": "console",
            }
            line = f"exec {_line_of(name)}"
            return shell.start(line, log=f"{name}-{port}", env={**_settings_of(name, given), **own})

        shell.env = _settings_of("migrate", given)
        await succeeds(shell, _line_of("migrate"))
        shell.env = {}
        apis = [start("api", port) for port in ports[:2]]
        workers = [start("worker", port) for port in ports[2:]]
        door = await opened.enter_async_context(
            nginx(shell, tmp_path / "nginx", port=front, service=API, behind=ports[:2])
        )
        for api, port in zip(apis, ports, strict=False):
            await answers(api, f"http://127.0.0.1:{port}/health/ready")
        for worker in workers:
            await prints(worker, "slots")
        http = await opened.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{front}", timeout=WITHIN_S)
        )
        database = await asyncpg.connect(postgres.url)
        opened.push_async_callback(database.close)
        yield Stack(
            http=http,
            database=database,
            metrics_url=f"http://127.0.0.1:{metrics}",
            own_urls={"api": f"http://127.0.0.1:{ports[1]}", "worker": f"http://127.0.0.1:{ports[3]}"},
            apis=apis,
            workers=workers,
            nginx=door,
        )


async def test_everything_together_holds_what_the_compose_file_promises(stack: Stack) -> None:
    await _every_job_is_done_though_an_api_process_and_a_worker_are_killed_meanwhile(stack)
    await _what_the_dashboard_shows_is_told_by_rabbitmq(stack)
    await _what_alerts_ask_for_is_told_by_each_process(stack)


async def _every_job_is_done_though_an_api_process_and_a_worker_are_killed_meanwhile(stack: Stack) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    refusals: list[str] = []
    ids: dict[int, str] = {}
    enough = asyncio.Event()

    async def submit(number: int) -> None:
        async with gate:
            answer = await stack.http.post(
                "/api/jobs",
                headers={"Idempotency-Key": f'"job-{number}"'},
                json={"type": "simulate", "payload": {"duration_s": 2}},
            )
        if answer.is_success:
            ids[number] = answer.json()["id"]
        else:
            refusals.append(answer.text)
        if len(ids) == KILLED_AFTER:
            enough.set()

    async def done(job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = (await stack.http.get(f"/api/jobs/{job_id}", params={"wait": 60})).json()
        return job

    async with asyncio.TaskGroup() as tasks:
        for number in range(KILLED_AFTER):
            tasks.create_task(submit(number))
        await asyncio.wait_for(enough.wait(), WITHIN_S)
        early = [tasks.create_task(done(job_id)) for job_id in list(ids.values())]
        killing = tasks.create_task(stack.kill_one_of_each())
        for number in range(KILLED_AFTER, JOBS):
            tasks.create_task(submit(number))
    assert killing.done()

    jobs = [each.result() for each in early] + list(await asyncio.gather(*map(done, ids.values())))

    assert refusals == []
    assert len(set(ids.values())) == JOBS
    assert {job["status"] for job in jobs} == {"succeeded"}
    assert any(entry["kind"] == "worker-lost" for job in jobs for entry in job["history"])
    assert await stack.database.fetchval("SELECT count(*) FROM jobs") == JOBS
    asked_again = [line for line in stack.nginx.log.read_text().splitlines() if re.search(r"by \S+, ", line)]
    assert asked_again, "nobody came to the killed process"


async def _what_the_dashboard_shows_is_told_by_rabbitmq(stack: Stack) -> None:
    board = json.loads((DEPLOY / "grafana/dashboards/queues.json").read_text())
    shown = [
        (name, queues)
        for panel in board["panels"]
        for target in panel["targets"]
        for name, queues in re.findall(r'(rabbitmq_\w+)(?:\{queue=~"([^"]+)"\})?', target["expr"])
    ]
    missing: list[tuple[str, str]] = []

    async def all_is_told() -> bool:
        told = await _scraped(stack.metrics_url)
        missing[:] = [each for each in shown if not any(_shows(each, line) for line in told)]
        return not missing

    assert len(shown) >= len(board["panels"])
    assert await until(all_is_told, within_s=WITHIN_S), missing


async def _what_alerts_ask_for_is_told_by_each_process(stack: Stack) -> None:
    asked = set(re.findall(r"\bjobmill_\w+", (DEPLOY / "alerts.yml").read_text()))
    paths = {
        names["names"][0]: job.get("metrics_path", "/metrics")
        for job in loaded(DEPLOY / "prometheus.yml")["scrape_configs"]
        for names in job.get("dns_sd_configs", ())
    }

    assert asked
    assert paths.keys() == stack.own_urls.keys()
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        for name, url in stack.own_urls.items():
            text = (await client.get(url + paths[name])).raise_for_status().text
            assert asked <= set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE)), name
            assert "jobmill_store_up 1.0" in text


async def _scraped(url: str) -> list[str]:
    """What Prometheus reads of RabbitMQ, by its own configuration."""
    lines: list[str] = []
    async with httpx.AsyncClient(base_url=url) as client:
        for job in loaded(DEPLOY / "prometheus.yml")["scrape_configs"]:
            if job.get("static_configs") == [{"targets": ["rabbitmq:15692"]}]:
                answer = await client.get(job.get("metrics_path", "/metrics"), params=job.get("params", {}))
                lines += answer.raise_for_status().text.splitlines()
    return lines


def _shows(wanted: tuple[str, str], line: str) -> bool:
    name, queues = wanted
    if line.partition("{")[0].partition(" ")[0] != name:
        return False
    queue = re.search(r'queue="([^"]+)"', line)
    return not queues or (queue is not None and re.fullmatch(queues, queue[1]) is not None)


def _settings_of(name: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """The settings by the names that a service has in the compose file."""
    return {key: given[key] for key in services()[name]["environment"]}


def _line_of(name: str) -> str:
    """The command of a service, as the container runs it."""
    [entrypoint] = re.findall(r"^ENTRYPOINT (.*)$", (CLONE / "Dockerfile").read_text(), re.MULTILINE)
    told = services()[name]
    return shlex.join([*told.get("entrypoint", json.loads(entrypoint)), *told["command"]])
