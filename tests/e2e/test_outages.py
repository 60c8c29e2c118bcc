"""Servers that go away and come back under running processes: what is accepted is kept, and runs."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.e2e.mill import Mill, ended, running_mill, submit
from tests.servers.ports import free_ports
from tests.servers.private_postgres import PrivatePostgres
from tests.servers.private_rabbitmq import PrivateRabbit
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


@pytest_asyncio.fixture
async def exposed(
    tmp_path: Path, own_rabbitmq: PrivateRabbit, own_postgres: PrivatePostgres
) -> AsyncGenerator[Mill]:
    """A mill with API and worker on servers that the test may do anything to."""
    [port] = free_ports(1)
    settings = {"JOBMILL_DATABASE_URL": own_postgres.url, "JOBMILL_BROKER_URL": own_rabbitmq.url}
    async with running_mill(tmp_path, port, settings) as mill:
        await mill.make_ready()
        await mill.serves(mill.start("api", name="api"))
        await mill.says(mill.start("worker", name="worker"), "slots")
        yield mill


@pytest_asyncio.fixture
async def caller(exposed: Mill) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=exposed.url, timeout=30.0) as client:
        yield client


async def test_jobs_are_accepted_without_a_broker_and_run_on_one_that_came_back_empty(
    exposed: Mill, caller: httpx.AsyncClient, own_rabbitmq: PrivateRabbit
) -> None:
    await ended(caller, (await submit(caller, "simulate", {}))["id"])
    waiting = await submit(caller, "simulate", {"fail_first": 1})
    await own_rabbitmq.kill()
    assert await until(lambda: _says(caller, "degraded"), within_s=30)

    without = [await submit(caller, "simulate", {}) for _ in range(5)]
    shutil.rmtree(own_rabbitmq.place / "data")
    await own_rabbitmq.start()

    for job in (waiting, *without):
        done = await ended(caller, job["id"], within_s=90)
        assert done["status"] == "succeeded", done
    assert await until(lambda: _says(caller, "ok"), within_s=30)


async def test_a_broker_short_of_memory_makes_jobs_wait_and_clients_notice_nothing(
    exposed: Mill, caller: httpx.AsyncClient, own_rabbitmq: PrivateRabbit
) -> None:
    await own_rabbitmq.control("set_vm_memory_high_watermark", "absolute", "1")
    starved = [await submit(caller, "simulate", {}) for _ in range(5)]
    states = [(await caller.get(f"/api/jobs/{job['id']}")).json()["status"] for job in starved]

    await own_rabbitmq.control("set_vm_memory_high_watermark", "0.9")

    assert set(states) == {"queued"}
    for job in starved:
        done = await ended(caller, job["id"], within_s=90)
        assert (done["status"], done["attempts"]) == ("succeeded", 1)


async def test_without_a_database_nothing_is_accepted_and_afterwards_all_goes_on(
    exposed: Mill, caller: httpx.AsyncClient, own_postgres: PrivatePostgres
) -> None:
    running = await submit(caller, "simulate", {"duration_s": 8})
    assert await until(lambda: _is(caller, running["id"], "processing"), within_s=30)
    await own_postgres.stop()

    refused = await caller.post("/api/jobs", json={"type": "simulate", "payload": {}})
    ready = await caller.get("/health/ready")
    await own_postgres.start()

    assert (refused.status_code, refused.json()["code"]) == (503, "storage-unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert ready.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert await until(lambda: _says(caller, "ok"), within_s=30)
    later = await submit(caller, "simulate", {})
    assert (await ended(caller, later["id"]))["status"] == "succeeded"
    # It costs what ran no attempt: a worker that cannot show itself alive hands its runs back.
    done = await ended(caller, running["id"], within_s=60)
    assert (done["status"], done["attempts"]) == ("succeeded", 1)
    assert {entry["outcome"] for entry in done["history"]} <= {"handed-back"}


async def _says(client: httpx.AsyncClient, status: str) -> bool:
    answer = await client.get("/health/ready")
    return answer.status_code == httpx.codes.OK and answer.json()["status"] == status


async def _is(client: httpx.AsyncClient, job_id: str, status: str) -> bool:
    return bool((await client.get(f"/api/jobs/{job_id}")).json()["status"] == status)
