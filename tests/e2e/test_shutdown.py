"""Processes that are asked to end: what runs is finished or handed back, and nothing hangs."""

import asyncio

import httpx
import pytest

from tests.e2e.mill import Mill, ended, submit
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

EXIT_BY_SIGTERM = 128 + 15

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


async def test_what_ends_within_the_grace_is_finished_before_the_worker_goes(
    cluster: Mill, client: httpx.AsyncClient
) -> None:
    await _api(cluster)
    worker = await _worker(cluster, "worker")
    job = await submit(client, "simulate", {"duration_s": 3})
    await _is(client, job["id"], "processing")

    worker.terminate()

    assert await worker.wait(within_s=30) == 0, worker.last_words()
    done = (await client.get(f"/api/jobs/{job['id']}")).json()
    assert (done["status"], done["attempts"]) == ("succeeded", 1)


async def test_the_second_signal_ends_a_worker_at_once_and_its_job_is_run_again(
    cluster: Mill, client: httpx.AsyncClient
) -> None:
    await _api(cluster)
    worker = await _worker(cluster, "hasty")
    job = await submit(client, "simulate", {"duration_s": 5})
    await _is(client, job["id"], "processing")

    async def was_told_twice() -> bool:
        worker.terminate()  # signals close together count as one, so this takes half a second
        return worker.has_ended

    assert await until(was_told_twice, within_s=4), "it waits for the job although it was told twice"

    assert await worker.wait(within_s=1) == EXIT_BY_SIGTERM
    await _worker(cluster, "heir")
    done = await ended(client, job["id"], within_s=90)
    assert (done["status"], done["attempts"]) == ("succeeded", 2)
    assert [entry["kind"] for entry in done["history"]] == ["worker-lost"]


async def test_an_api_with_open_connections_ends_when_asked(cluster: Mill) -> None:
    api = await _api(cluster)
    answer, idle = await asyncio.open_connection("127.0.0.1", cluster.port)
    idle.write(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert (await answer.readline()).startswith(b"HTTP/1.1 200")
    _, half = await asyncio.open_connection("127.0.0.1", cluster.port)
    half.write(b"POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{")
    await half.drain()

    api.terminate()

    assert await api.wait(within_s=20) == 0, api.last_words()
    for writer in (idle, half):
        writer.close()


async def _api(mill: Mill) -> ServerProcess:
    """An API that serves."""
    api = mill.start("api", name="api")
    await mill.serves(api)
    return api


async def _worker(mill: Mill, name: str) -> ServerProcess:
    worker = mill.start("worker", name=name)
    await mill.says(worker, "slots")
    return worker


async def _is(client: httpx.AsyncClient, job_id: str, status: str) -> None:
    async def so() -> bool:
        return bool((await client.get(f"/api/jobs/{job_id}")).json()["status"] == status)

    assert await until(so, within_s=30)
