"""API and workers as processes of their own, on real servers."""

from collections import Counter
from typing import Any

import aiormq
import httpx
import pytest

from tests.e2e.mill import Mill, all_jobs, ended, submit
from tests.servers.amqp_place import AmqpPlace
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

JOBS = 5_000
BATCH = 1_000
#: More than one worker runs at once.
HELD = 150


async def test_two_workers_share_the_work_and_one_that_is_killed_loses_nothing(
    bare_cluster: Mill, client: httpx.AsyncClient
) -> None:
    for command in (("migrate",), ("topology", "apply")):
        code, printed = await bare_cluster.run(*command)
        assert code == 0, printed
    await bare_cluster.serves(bare_cluster.start("api", name="api"))
    doomed = bare_cluster.start("worker", name="doomed")
    heir = bare_cluster.start("worker", name="heir")
    await bare_cluster.says(doomed, "slots")
    await bare_cluster.says(heir, "slots")

    for first in range(0, JOBS, BATCH):
        answer = await client.post(
            "/api/jobs/batch", json={"jobs": [_job(n) for n in range(first, first + BATCH)]}
        )
        assert answer.status_code == httpx.codes.CREATED, answer.text
    await _so_many_are(client, "succeeded", at_least=200)
    await client.post("/api/jobs/batch", json={"jobs": [_long_job()] * HELD})
    assert await until(lambda: _runs_something(client, doomed), within_s=60)
    await doomed.kill()

    assert await until(lambda: _nothing_is_open(client), within_s=100)
    every = await all_jobs(client)
    assert len({job["id"] for job in every}) == JOBS + HELD
    states = Counter(job["status"] for job in every)
    assert states == {"succeeded": JOBS + HELD - JOBS // 20, "failed": JOBS // 20}
    await _workers_shared(client, every, doomed=doomed.pid, heir=heir.pid)
    await _one_attempt_was_burnt(client, every)


async def test_a_worker_that_is_asked_to_stop_hands_back_without_burning_an_attempt(
    cluster: Mill, client: httpx.AsyncClient
) -> None:
    cluster.settings = {**cluster.settings, "JOBMILL_SHUTDOWN_GRACE_S": "1"}
    await cluster.serves(cluster.start("api", name="api"))
    leaving = cluster.start("worker", name="leaving")
    await cluster.says(leaving, "slots")
    slow = await submit(client, "simulate", {"duration_s": 6})
    await _so_many_are(client, "processing", at_least=1)

    leaving.terminate()
    assert await leaving.wait(within_s=20) == 0, leaving.last_words()

    waiting = (await client.get(f"/api/jobs/{slow['id']}")).json()
    assert (waiting["status"], waiting["attempts"]) == ("queued", 0)
    await cluster.says(cluster.start("worker", name="next"), "slots")
    done = await ended(client, slow["id"])
    assert (done["status"], done["attempts"]) == ("succeeded", 1)
    assert [entry["outcome"] for entry in done["history"]] == ["handed-back"]


async def test_a_dead_job_leaves_its_notice_and_a_requeue_brings_it_back(
    cluster: Mill, client: httpx.AsyncClient, amqp: AmqpPlace
) -> None:
    await cluster.serves(cluster.start("api", name="api"))
    await cluster.says(cluster.start("worker", name="worker"), "slots")
    hopeless = await submit(client, "simulate", {"fail_first": 2}, max_attempts=2)

    dead = await ended(client, hopeless["id"])

    assert (dead["status"], dead["attempts"], dead["error"]) == ("failed", 2, "simulated failure")
    [letter] = (await client.get("/api/dead-letters")).json()
    assert letter["id"] == hopeless["id"]
    assert await until(lambda: _holds(amqp, "simulate.dead", parcels=1), within_s=20)
    again = await client.post(f"/api/jobs/{hopeless['id']}/requeue", json={"payload": {"duration_s": 0}})
    assert again.status_code == httpx.codes.OK, again.text
    done = await ended(client, hopeless["id"])
    assert (done["status"], done["attempts"], done["error"]) == ("succeeded", 1, None)
    outcomes = [entry["outcome"] for entry in done["history"]]
    assert outcomes == ["retry-scheduled", "dead-lettered", "requeued"]


async def test_a_worker_tells_how_it_is(cluster: Mill) -> None:
    [port] = free_ports(1)
    cluster.settings = {**cluster.settings, "JOBMILL_METRICS_PORT": str(port)}
    await cluster.says(cluster.start("worker"), f"localhost:{port}/health/ready")

    async with httpx.AsyncClient() as client:
        ready = (await client.get(f"http://127.0.0.1:{port}/health/ready")).json()

    assert ready["status"] == "ok"
    assert ready["parts"] == {"database": "ok", "broker": "ok", "presence": "ok"}


async def test_a_worker_without_its_queues_says_how_to_make_them(bare_cluster: Mill) -> None:
    code, printed = await bare_cluster.run("migrate")
    assert code == 0, printed

    code, printed = await bare_cluster.run("worker")

    assert code == 1
    assert "jobmill topology apply" in printed


async def test_an_api_without_its_tables_says_how_to_make_them(bare_cluster: Mill) -> None:
    code, printed = await bare_cluster.run("api")

    assert code == 1
    assert "jobmill migrate" in printed


async def _holds(amqp: AmqpPlace, name: str, *, parcels: int) -> bool:
    connection = await aiormq.connect(amqp.url)
    try:
        channel = await connection.channel()
        declared = await channel.queue_declare(f"{amqp.prefix}.{name}", passive=True)
        return declared.message_count == parcels
    finally:
        await connection.close()


def _job(number: int) -> dict[str, Any]:
    """One in ten fails: half of those once, so that they recover, half for good."""
    if number % 20 == 0:
        return {"type": "simulate", "payload": {"failure": "permanent", "fail_first": 100}}
    if number % 20 == 10:
        return {"type": "simulate", "payload": {"fail_first": 1}}
    return {"type": "simulate", "payload": {"duration_s": 0.1}}


def _long_job() -> dict[str, Any]:
    """One that is still running when its worker is seen to have it."""
    return {"type": "simulate", "payload": {"duration_s": 5}}


async def _runs_something(client: httpx.AsyncClient, worker: ServerProcess) -> bool:
    """Tell whether it runs what will not have ended before it is killed."""
    running = (await client.get("/api/jobs", params={"status": "processing", "limit": HELD})).json()
    return any(
        job["payload"].get("duration_s") == _long_job()["payload"]["duration_s"]
        and int(job["worker"].split(":")[1]) == worker.pid
        for job in running
    )


async def _nothing_is_open(client: httpx.AsyncClient) -> bool:
    states = "scheduled,queued,processing,retrying"
    return not (await client.get("/api/jobs", params={"status": states, "limit": 1})).json()


async def _so_many_are(client: httpx.AsyncClient, status: str, *, at_least: int) -> None:
    async def enough() -> bool:
        found = (await client.get("/api/jobs", params={"status": status, "limit": at_least})).json()
        return len(found) >= at_least

    assert await until(enough, within_s=60)


async def _workers_shared(
    client: httpx.AsyncClient, every: list[dict[str, Any]], *, doomed: int, heir: int
) -> None:
    """The failed ones say who ran them."""
    failed = [job["id"] for job in every if job["status"] == "failed"]
    stories = [(await client.get(f"/api/jobs/{job_id}")).json() for job_id in failed]
    pids = Counter(int(entry["worker"].split(":")[1]) for story in stories for entry in story["history"])
    assert set(pids) == {doomed, heir}, pids


async def _one_attempt_was_burnt(client: httpx.AsyncClient, every: list[dict[str, Any]]) -> None:
    """What ran at the kill was lost once and no more, within the bound of what a worker runs at once."""
    more_than_planned = [
        job["id"] for job in every if job["attempts"] > 1 and "fail_first" not in job["payload"]
    ]
    stories = [(await client.get(f"/api/jobs/{job_id}")).json() for job_id in more_than_planned]
    assert 1 <= len(stories) <= 100
    for story in stories:
        assert [entry["kind"] for entry in story["history"]] == ["worker-lost"]
        assert story["attempts"] == 2
