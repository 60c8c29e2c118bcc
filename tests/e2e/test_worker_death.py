"""A worker that is killed, blocked, or cut off from the database, among processes of their own."""

from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from tests.e2e.mill import Mill, ended, submit
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

BLOCKING = '''
"""A handler that does not let its loop turn."""

import time

from jobmill import JobHandlers

handlers = JobHandlers()


@handlers.register("simulate-block", queue="simulate")
async def block(payload: dict) -> None:
    time.sleep(payload["for_s"])
'''
LOCKED = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest_asyncio.fixture
async def database(migrated_url: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(migrated_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("doomed_leads", [True, False])
async def test_the_jobs_of_a_killed_worker_are_taken_up_before_their_leases_are_over(
    cluster: Mill, client: httpx.AsyncClient, database: asyncpg.Connection, doomed_leads: bool
) -> None:
    await cluster.serves(cluster.start("api", name="api"))
    leader = await _worker(cluster, "first")
    assert await until(lambda: _somebody_leads(database), within_s=20)
    other = await _worker(cluster, "second")
    doomed, heir = (leader, other) if doomed_leads else (other, leader)
    jobs = []

    async def the_doomed_runs_one() -> bool:
        jobs.append(await submit(client, "simulate", {"duration_s": 5}))
        return bool(await _leases(database, doomed))

    heir.freeze()
    assert await until(the_doomed_runs_one, within_s=10), "under a name that proves its lock"
    heir.thaw()
    leases = await _leases(database, doomed)

    await doomed.kill()

    for job in jobs:
        done = await ended(client, job["id"], within_s=60)
        assert done["status"] == "succeeded"
        if job["id"] in leases:
            [lost] = [entry for entry in done["history"] if entry["kind"] == "worker-lost"]
            assert lost["error"] == "the worker's process ended"
            assert datetime.fromisoformat(lost["at"]) < leases[job["id"]]


async def test_a_handler_that_blocks_its_worker_for_seconds_is_not_taken_for_dead(
    cluster: Mill, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "blocking.py").write_text(BLOCKING)
    cluster.settings = {**cluster.settings, "JOBMILL_HANDLERS": "blocking"}
    await cluster.serves(cluster.start("api", name="api"))
    await _worker(cluster, "worker")
    beside = await submit(client, "simulate", {"duration_s": 5})
    blocking = await submit(client, "simulate-block", {"for_s": 4})

    for job in (blocking, beside):
        done = await ended(client, job["id"], within_s=60)
        assert (done["status"], done["attempts"], done["history"]) == ("succeeded", 1, [])


async def test_a_worker_whose_lock_connection_is_ended_takes_it_again_and_goes_on(
    cluster: Mill, client: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    await cluster.serves(cluster.start("api", name="api"))
    await _worker(cluster, "worker")
    job = await submit(client, "simulate", {"duration_s": 5})
    assert await until(lambda: _all_run(database), within_s=20)
    [[pid]] = await database.fetch(LOCKED)

    assert await database.fetchval("SELECT pg_terminate_backend($1)", pid)

    async def another_holds_it() -> bool:
        return [row[0] for row in await database.fetch(LOCKED)] not in ([], [pid])

    assert await until(another_holds_it, within_s=20)
    done = await ended(client, job["id"])
    assert (done["status"], done["attempts"], done["history"]) == ("succeeded", 1, [])


async def test_an_embedded_mill_that_was_killed_takes_its_jobs_up_at_once(
    embedded: Mill, client: httpx.AsyncClient
) -> None:
    first = embedded.start("up")
    await embedded.serves(first)
    job = await submit(client, "simulate", {"duration_s": 2})

    async def runs() -> bool:
        return bool((await client.get(f"/api/jobs/{job['id']}")).json()["status"] == "processing")

    assert await until(runs, within_s=20)
    await first.kill()
    await embedded.serves(embedded.start("up", name="second"))

    done = await ended(client, job["id"])
    assert (done["status"], done["attempts"]) == ("succeeded", 2)
    assert done["history"][0]["error"] == "the worker's process ended"


async def _worker(cluster: Mill, name: str) -> ServerProcess:
    process = cluster.start("worker", name=name)
    await cluster.says(process, "slots")
    return process


async def _leases(database: asyncpg.Connection, worker: ServerProcess) -> dict[str, datetime]:
    """Return until when this worker has the lease of each of its jobs that it took holding its lock."""
    rows = await database.fetch(
        "SELECT id, lease_until FROM jobs WHERE worker LIKE $1", f"%:{worker.pid}:%#%"
    )
    return {str(row["id"]): row["lease_until"] for row in rows}


async def _somebody_leads(database: asyncpg.Connection) -> bool:
    return bool(await database.fetchval("SELECT count(*) FROM leadership"))


async def _all_run(database: asyncpg.Connection) -> bool:
    return bool(await database.fetchval("SELECT bool_and(state = 'processing') FROM jobs"))
