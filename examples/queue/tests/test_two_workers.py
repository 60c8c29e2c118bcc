"""The queue on RabbitMQ and PostgreSQL: two workers share the jobs, and what fails is a dead letter."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

import jobmill
from jobmill import Client, JobState, Submission

from tests.examples.copied import Example, copied
from tests.examples.starting import WITHIN_S, answers, prints, succeeds
from tests.servers.amqp_place import AmqpPlace
from tests.servers.ports import free_ports
from tests.servers.waiting import until

EXPIRED = {"card": "expired", "cents": 1}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest_asyncio.fixture
async def url(tmp_path: Path, amqp: AmqpPlace, postgres_url: str) -> AsyncGenerator[str]:
    """The queue as ``compose.yaml`` starts it, from the same commands."""
    amqp.uses("email", "webhook", "simulate", "sms", "call", "push")
    [port] = free_ports(1)
    settings = {
        "JOBMILL_PORT": str(port),
        "JOBMILL_DATABASE_URL": postgres_url,
        "JOBMILL_BROKER_URL": amqp.url,
        "JOBMILL_PREFIX": amqp.prefix,
        "JOBMILL_CONCURRENCY": "4",
    }
    async with copied("queue", tmp_path, settings) as example:
        await succeeds(example, "jobmill migrate")
        api = example.start("exec jobmill api", log="api")
        await answers(api, f"http://localhost:{port}/health/ready")
        await _two_workers(example)
        yield f"http://localhost:{port}"


async def test_two_workers_share_the_jobs_and_a_failing_type_ends_with_the_dead_letters(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client, jobmill.connect(url) as mill:
        answer = await client.post("/jobs", json={"type": "EMAIL", "payload": {"to": "ada@example.com"}})
        mail: dict[str, Any] = answer.json()
        reports = await mill.submit_many([Submission("REPORT", {"numbers": [n]}) for n in range(60)])
        hopeless = await mill.submit("CHARGE", EXPIRED)

        done = [await mill.wait(job) for job in reports]
        dead = await mill.wait(hopeless)
        sent = (await client.get(f"/jobs/{mail['id']}", params={"wait": 10})).json()
        letters = (await client.get("/dead-letters")).json()
        await _both_run_jobs(client, mill)

    assert (answer.status_code, mail["status"], mail["type"]) == (httpx.codes.CREATED, "queued", "email")
    assert sent["status"] == "succeeded"
    assert [job.result for job in done] == [{"count": 1, "sum": n} for n in range(60)]
    assert (dead.status, dead.attempts) == (JobState.FAILED, 3)
    assert dead.error == "CardExpired: the card has expired"
    assert [letter["id"] for letter in letters] == [str(dead.id)]


async def _both_run_jobs(client: httpx.AsyncClient, mill: Client) -> None:
    """Submit one job after the other until either worker has run one; a dead job says who ran it."""
    seen: set[str] = set()

    async def both_have() -> bool:
        dead = await mill.wait(await mill.submit("Charge", EXPIRED, max_attempts=1))
        story = (await client.get(f"/jobs/{dead.id}")).json()
        seen.update(entry["worker"] for entry in story["history"])
        return len(seen) == 2

    assert await until(both_have, within_s=WITHIN_S), seen


async def _two_workers(example: Example) -> None:
    workers = [example.start("exec jobmill worker", log=f"worker-{number}") for number in (1, 2)]
    for worker in workers:
        await prints(worker, "slots")
