"""Everything that ``compose.yaml`` starts, from binaries of this machine, while parts of it are killed."""

import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio
from attrs import frozen

import jobmill
from jobmill import Client
from jobmill.entrypoints.container import migrate_store
from jobmill.entrypoints.settings import Settings as MillSettings

from task_board.jobs import CleanUp, clean_up, task_created
from task_board.setup import set_up
from tests.examples.copied import Example, copied
from tests.examples.nginx import nginx
from tests.examples.starting import answers, prints
from tests.servers.amqp_place import AmqpPlace
from tests.servers.ports import free_ports
from tests.servers.private_redis import PrivateRedis, private_redis
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TASK = {"title": "Write", "userId": 1}
WITHIN_S = 60.0


@frozen(kw_only=True)
class Stack:
    """What runs, and two ways in: by nginx, and by Jobmill's database."""

    http: httpx.AsyncClient
    mill: Client
    database: asyncpg.Connection
    redis: PrivateRedis
    apis: list[ServerProcess]
    workers: list[ServerProcess]

    def mails(self) -> list[str]:
        """The lines of all workers that say that a mail was sent."""
        logs = "".join(worker.log.read_text() for worker in self.workers)
        return re.findall(r"Email sent to \S+: (.*)", logs)

    async def settled(self) -> None:
        """Wait until no event is open."""
        unfinished = "SELECT NOT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL)"

        async def none_is_open() -> bool:
            return bool(await self.database.fetchval(unfinished))

        assert await until(none_is_open, within_s=WITHIN_S)


@pytest_asyncio.fixture
async def stack(tmp_path: Path, amqp: AmqpPlace, postgres_url: str) -> AsyncGenerator[Stack]:
    amqp.uses("task_events", "email", "webhook", "simulate", "sms", "call", "push")
    await migrate_store(MillSettings(database_url=postgres_url))
    await set_up(postgres_url)
    front, first, second, mill_port = free_ports(4)
    async with AsyncExitStack() as opened:
        redis = await opened.enter_async_context(private_redis())
        settings = {
            "JOBMILL_DATABASE_URL": postgres_url,
            "JOBMILL_BROKER_URL": amqp.url,
            "JOBMILL_PREFIX": amqp.prefix,
            "JOBMILL_PORT": str(mill_port),
            "JOBMILL_LOG_FORMAT": "console",
            "REDIS_URL": redis.url,
        }
        example = await opened.enter_async_context(copied("tasks", tmp_path, settings))
        board_of_jobs = example.start("exec jobmill api", log="mill")  # which declares the queues
        await answers(board_of_jobs, f"http://127.0.0.1:{mill_port}/health/ready")
        workers = [example.start("exec jobmill worker", log=f"worker-{n}") for n in (1, 2)]
        apis = [await _api(example, port) for port in (first, second)]
        await opened.enter_async_context(
            nginx(example, tmp_path / "nginx", port=front, service="api:8000", behind=(first, second))
        )
        for worker in workers:
            await prints(worker, "slots")
        for api, port in zip(apis, (first, second), strict=True):
            await answers(api, f"http://127.0.0.1:{port}/health")
        http = await opened.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{front}", timeout=30)
        )
        mill = await opened.enter_async_context(jobmill.connect(postgres_url))
        database = await asyncpg.connect(postgres_url)
        opened.push_async_callback(database.close)
        yield Stack(http=http, mill=mill, database=database, redis=redis, apis=apis, workers=workers)


async def test_everything_together_holds_what_the_readme_says(stack: Stack) -> None:
    await _both_api_processes_serve_and_the_user_is_told_once_for_each_task(stack)
    await _an_event_that_comes_again_has_no_second_effect(stack)
    await _what_was_processed_more_than_seven_days_ago_is_forgotten(stack)
    await _a_read_after_a_write_is_fresh_and_later_ones_come_from_redis(stack)
    await _without_redis_everything_goes_on(stack)
    await _with_one_api_process_and_one_worker_killed_the_others_go_on(stack)


async def _both_api_processes_serve_and_the_user_is_told_once_for_each_task(stack: Stack) -> None:
    made = [await stack.http.post("/tasks", json={**TASK, "title": f"Task {n}"}) for n in range(10)]
    refused = await stack.http.post("/tasks", json={**TASK, "userId": 99})
    await stack.settled()

    assert [answer.status_code for answer in made] == [201] * 10
    assert refused.status_code == 422
    assert sorted(stack.mails()) == sorted(f"Task 'Task {n}' was created" for n in range(10))
    assert await stack.database.fetchval("SELECT count(*) FROM processed_events") == 10
    assert all("POST /tasks" in api.log.read_text() for api in stack.apis)


async def _an_event_that_comes_again_has_no_second_effect(stack: Stack) -> None:
    [seen] = await stack.mill.list(type=task_created, limit=1)

    again = await stack.mill.submit("task_created", seen.payload)
    done = await stack.mill.wait(again)

    assert done.succeeded
    assert done.id != seen.id
    assert len(stack.mails()) == 10


async def _what_was_processed_more_than_seven_days_ago_is_forgotten(stack: Stack) -> None:
    age = "INSERT INTO processed_events VALUES ($1, now() - $2::text::interval)"
    await stack.database.execute(age, "old", "169 hours")
    await stack.database.execute(age, "young", "167 hours")

    assert (await stack.mill.wait(await stack.mill.submit(clean_up, CleanUp()))).succeeded

    left = {row["event_id"] for row in await stack.database.fetch("SELECT event_id FROM processed_events")}
    assert len(left) == 11
    assert "young" in left


async def _a_read_after_a_write_is_fresh_and_later_ones_come_from_redis(stack: Stack) -> None:
    reads = [await stack.http.get("/users/1") for _ in range(2)]
    await stack.http.patch("/users/1", json={"name": "Ada Lovelace"})
    after = await stack.http.get("/users/1")

    assert [read.headers["x-cache"] for read in reads] == ["miss", "hit"]
    assert (after.headers["x-cache"], after.json()["name"]) == ("miss", "Ada Lovelace")


async def _without_redis_everything_goes_on(stack: Stack) -> None:
    await stack.redis.kill()

    changed = await stack.http.patch("/tasks/1", json={"status": "completed"})
    reads = [await stack.http.get("/tasks/1") for _ in range(4)]
    await stack.settled()

    assert changed.status_code == 200
    assert {(read.headers["x-cache"], read.json()["status"]) for read in reads} == {("off", "completed")}
    assert "Task 'Task 0' is completed now" in stack.mails()


async def _with_one_api_process_and_one_worker_killed_the_others_go_on(stack: Stack) -> None:
    before = len(stack.mails())
    await stack.apis[0].kill()
    await stack.workers[0].kill()

    made = [await stack.http.post("/tasks", json=TASK) for _ in range(6)]
    await stack.settled()

    assert [answer.status_code for answer in made] == [201] * 6
    assert len(stack.mails()) == before + 6


async def _api(example: Example, port: int) -> ServerProcess:
    line = f"exec uvicorn --factory task_board.app:create_app --port {port}"
    return example.start(line, log=f"api-{port}")
