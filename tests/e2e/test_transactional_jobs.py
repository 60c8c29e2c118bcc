"""Handlers that pay in the transaction in which their job succeeds, on workers that die or hang."""

from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from tests.e2e.mill import Mill, ended, submit
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SHOP = '''
"""Charges orders."""

import asyncio

from jobmill import JobContext, JobHandlers
from sqlalchemy import text

handlers = JobHandlers()


@handlers.register("charge", queue="simulate")
async def charge(payload: dict, job: JobContext) -> None:
    async with job.transaction() as db:
        row = {"job": str(job.job_id), "attempt": job.attempt}
        await db.execute(text("INSERT INTO paid VALUES (:job, :attempt)"), row)
        if job.attempt == 1:
            await asyncio.sleep(payload.get("dawdles_s", 0))
'''


@pytest_asyncio.fixture
async def database(migrated_url: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(migrated_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def shop(cluster: Mill, database: asyncpg.Connection, tmp_path: Path) -> Mill:
    """A mill that charges, its API and nothing else running."""
    (tmp_path / "shop.py").write_text(SHOP)
    cluster.settings = {**cluster.settings, "JOBMILL_HANDLERS": "shop"}
    await database.execute("CREATE TABLE paid (job text, attempt integer)")
    await cluster.serves(cluster.start("api", name="api"))
    return cluster


async def test_many_jobs_pay_once_each(
    shop: Mill, client: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    await _worker(shop, "worker")
    jobs = [{"type": "charge", "payload": {}} for _ in range(300)]
    answer = await client.post("/api/jobs/batch", json={"jobs": jobs})
    assert answer.status_code == httpx.codes.CREATED, answer.text

    async def all_succeeded() -> bool:
        return bool(await database.fetchval("SELECT bool_and(state = 'succeeded') FROM jobs"))

    assert await until(all_succeeded, within_s=60)
    assert await database.fetchval("SELECT count(*) FROM paid") == 300
    assert await database.fetchval("SELECT count(DISTINCT job) FROM paid") == 300


async def test_what_a_killed_worker_had_written_is_gone_and_the_next_attempt_pays(
    shop: Mill, client: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    doomed = await _worker(shop, "doomed")
    job = await submit(client, "charge", {"dawdles_s": 60})
    assert await until(lambda: _writes(database), within_s=20)

    await doomed.kill()
    await _worker(shop, "heir")

    done = await ended(client, job["id"], within_s=60)
    assert (done["status"], done["attempts"]) == ("succeeded", 2)
    assert [tuple(row) for row in await database.fetch("SELECT * FROM paid")] == [(job["id"], 2)]


async def test_what_a_worker_wrote_that_hung_past_its_lease_is_rolled_back(
    shop: Mill, client: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    stale = await _worker(shop, "stale")
    job = await submit(client, "charge", {"dawdles_s": 1})
    assert await until(lambda: _writes(database), within_s=20)
    stale.freeze()
    await _worker(shop, "heir")

    done = await ended(client, job["id"], within_s=80)
    stale.thaw()

    async def nobody_writes() -> bool:
        return not await _writes(database)

    assert await until(nobody_writes, within_s=20)
    assert not stale.has_ended
    assert (done["status"], done["attempts"]) == ("succeeded", 2)
    assert [tuple(row) for row in await database.fetch("SELECT * FROM paid")] == [(job["id"], 2)]


async def _worker(mill: Mill, name: str) -> ServerProcess:
    process = mill.start("worker", name=name)
    await mill.says(process, "slots")
    return process


async def _writes(database: asyncpg.Connection) -> bool:
    """Whether somebody has written to the table and not committed yet."""
    held = "SELECT count(*) FROM pg_locks WHERE relation = 'paid'::regclass AND mode = 'RowExclusiveLock'"
    return bool(await database.fetchval(held))
