"""Handlers that block, that are stuck, and that outlive nothing, in processes of their own."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.mill import Mill, all_jobs, ended, submit
from tests.servers.descendants import descendants, is_gone
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SHOP = '''
"""One handler of each kind, in one queue."""

import os
import re
import threading

from jobmill import JobContext, JobHandlers

handlers = JobHandlers()


@handlers.register("quick", queue="simulate")
async def quick(payload: dict) -> None:
    pass


@handlers.register("block", queue="simulate")
def block(payload: dict, job: JobContext) -> str:
    threading.Event().wait(0.5)
    return threading.current_thread().name


@handlers.register("stuck", queue="simulate", process=True)
def stuck(payload: dict, job: JobContext) -> None:
    job.progress(0.5, str(os.getpid()))
    if payload.get("deaf"):
        re.match("(a+)+$", "a" * 60 + "b")  # no other thread gets a turn
    while True:
        pass
'''


@pytest.fixture
def shop(tmp_path: Path) -> str:
    (tmp_path / "shop.py").write_text(SHOP)
    return "shop"


async def test_blocking_jobs_do_not_delay_one_on_the_loop(
    embedded: Mill, client: httpx.AsyncClient, shop: str
) -> None:
    await _up(embedded, shop)

    await _runs_quick_before_most_that_block(client)


async def test_nor_do_they_on_real_servers(bare_cluster: Mill, client: httpx.AsyncClient, shop: str) -> None:
    bare_cluster.settings = {**bare_cluster.settings, "JOBMILL_HANDLERS": shop}
    await bare_cluster.serves(bare_cluster.start("up"))

    await _runs_quick_before_most_that_block(client)


async def test_a_stuck_handler_is_stopped_at_its_timeout(
    embedded: Mill, client: httpx.AsyncClient, shop: str
) -> None:
    mill = await _up(embedded, shop)
    job = await submit(client, "stuck", {}, timeout_s=3, max_attempts=1)
    said = await _at_work(client, job)
    assert (said["fraction"], said["attempt"]) == (0.5, 1)

    done = await ended(client, job["id"])

    assert (done["status"], done["error"]) == ("failed", "took longer than its timeout of 3 s")
    assert [entry["kind"] for entry in done["history"]] == ["timeout"]
    assert done["progress"] == said
    assert int(said["note"]) not in descendants(mill.pid)
    code, printed = await embedded.run("job", job["id"])
    assert code == 0
    assert f"50%   {said['note']}   (attempt 1, " in printed


async def test_a_stuck_handler_is_stopped_when_its_job_is_cancelled(
    embedded: Mill, client: httpx.AsyncClient, shop: str
) -> None:
    mill = await _up(embedded, shop)
    job = await submit(client, "stuck", {})
    said = await _at_work(client, job)

    answer = await client.post(f"/api/jobs/{job['id']}/cancel")
    assert answer.is_success, answer.text

    assert (await ended(client, job["id"]))["status"] == "cancelled"
    assert int(said["note"]) not in descendants(mill.pid)


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_killed_worker_leaves_no_child_behind(
    embedded: Mill, client: httpx.AsyncClient, shop: str, deaf: bool
) -> None:
    mill = await _up(embedded, shop)
    said = await _at_work(client, await submit(client, "stuck", {"deaf": deaf}))
    pid = int(said["note"])
    assert pid in descendants(mill.pid)

    await mill.kill()

    assert await until(lambda: _is_gone(pid), within_s=10)


async def test_a_worker_that_is_stopped_ends_its_children_and_gives_their_jobs_back(
    embedded: Mill, client: httpx.AsyncClient, shop: str
) -> None:
    embedded.settings = {**embedded.settings, "JOBMILL_SHUTDOWN_GRACE_S": "0"}
    mill = await _up(embedded, shop)
    job = await submit(client, "stuck", {})
    pid = int((await _at_work(client, job))["note"])

    mill.terminate()

    assert await mill.wait(within_s=30) == 0
    assert await _is_gone(pid)
    code, printed = await embedded.run("job", job["id"], "--json")
    assert code == 0
    assert '"status":"queued"' in printed


async def _up(mill: Mill, handlers: str) -> ServerProcess:
    mill.settings = {**mill.settings, "JOBMILL_HANDLERS": handlers}
    process = mill.start("up")
    await mill.serves(process)
    return process


async def _runs_quick_before_most_that_block(client: httpx.AsyncClient) -> None:
    """By order and not by time: 200 jobs of 0.5 s on 32 threads, and one behind them that needs none."""
    jobs = [{"type": "block", "payload": {}} for _ in range(200)] + [{"type": "quick", "payload": {}}]
    answer = await client.post("/api/jobs/batch", json={"jobs": jobs})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    quick = answer.json()["jobs"][-1]

    await ended(client, quick["id"])

    blocking = await all_jobs(client, type="block")
    over = [job for job in blocking if job["status"] == "succeeded"]
    assert len(over) < 100, "most of those before it have not run yet"

    async def all_are_over() -> bool:
        blocking[:] = await all_jobs(client, type="block")
        return all(job["status"] == "succeeded" for job in blocking)

    assert await until(all_are_over, within_s=60)
    assert len({job["result"] for job in blocking}) == 32


async def _at_work(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    """Wait until a handler has said where it runs."""
    seen: dict[str, Any] = {}

    async def speaks() -> bool:
        seen.update((await client.get(f"/api/jobs/{job['id']}")).json())
        return seen["progress"] is not None

    assert await until(speaks, within_s=20), seen
    said: dict[str, Any] = seen["progress"]
    return said


async def _is_gone(pid: int) -> bool:
    return is_gone(pid)
