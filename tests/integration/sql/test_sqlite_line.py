"""The short way to SQLite: one visit to the connection's thread, rows found by their keys, all or nothing."""

import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import aiosqlite
import pytest
import pytest_asyncio
from sqlalchemy import text

from jobmill.adapters.sql import SqlStore, open_sql_store
from jobmill.adapters.sql.dialect import Hot, Params
from jobmill.adapters.sql.sqlite_hot import SqliteHot
from jobmill.adapters.sql.sqlite_storing import Storing
from jobmill.application.errors import StorageRefused, StorageUnavailable
from jobmill.application.ports.job_repository import NewJob, Stored
from jobmill.domain.states import Priority

from tests.builders import HOUR, a_job, a_stamp, a_submitted_job, started, succeeded
from tests.contract.store_world import StoreWorld

MANY = 3_000
#: A plan that reads a table from its beginning to its end, or walks along what all jobs in a state share.
_READS_ALL = re.compile(r"^SCAN (jobs|outbox)$|AUTOMATIC|by_state|by_announcement", re.MULTILINE)
#: Endless.
NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"


@pytest_asyncio.fixture
async def sqlite(sqlite_url: str) -> AsyncGenerator[SqlStore]:
    """A store of one's own."""
    async with open_sql_store(sqlite_url) as opened:
        yield opened


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What connections' threads were asked to do since."""
    seen: list[Any] = []
    execute: Any = aiosqlite.Connection._execute

    async def noted(connection: aiosqlite.Connection, work: Any, *values: Any, **named: Any) -> Any:  # noqa: ANN401
        seen.append(work)
        return await execute(connection, work, *values, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", noted)
    return seen


async def test_the_hot_path_visits_the_thread_once_each(sqlite: SqlStore, visits: list[Any]) -> None:
    jobs = [a_job(now=sqlite.clock.now()) for _ in range(3)]
    visits.clear()

    await sqlite.jobs.add([[NewJob(job=job)] for job in jobs])
    assert len(visits) == 1
    claims = [started(job, now=sqlite.clock.now()) for job in jobs]
    await sqlite.jobs.save(claims)
    assert len(visits) == 2
    await sqlite.leases.renew([claim.job.fence for claim in claims], ttl=HOUR)
    assert len(visits) == 3
    await sqlite.jobs.save([succeeded(claim.job, now=sqlite.clock.now()) for claim in claims])
    assert len(visits) == 4
    await sqlite.outbox.forget([job.stamp for job in jobs])
    assert len(visits) == 5


async def test_of_a_batch_with_a_job_that_is_there_already_the_others_are_stored(sqlite: SqlStore) -> None:
    there, *new = [a_job(now=sqlite.clock.now()) for _ in range(3)]
    await sqlite.jobs.add([[NewJob(job=there)]])
    await sqlite.outbox.forget([there.stamp])

    answers = await sqlite.jobs.add([[NewJob(job=job)] for job in (there, *new)])

    assert answers == [[Stored(job=job)] for job in (there, *new)]
    assert await sqlite.jobs.get([job.id for job in new]) == new
    notices = await sqlite.outbox.pending(limit=10, older_than=timedelta(0))
    assert {notice.row for notice in notices} == {job.stamp for job in new}


async def test_jobs_are_stored_with_their_notices_or_not_at_all(sqlite: SqlStore) -> None:
    """A stamp that comes twice is the id of two notices."""
    stamp = a_stamp()
    jobs = [a_job(now=sqlite.clock.now(), stamp=stamp) for _ in range(2)]

    with pytest.raises(StorageRefused):
        await sqlite.jobs.add([[NewJob(job=job)] for job in jobs])

    assert await sqlite.jobs.get([job.id for job in jobs]) == [None, None]
    world = StoreWorld(store=sqlite)
    assert await world.seen(await world.queued()) is not None


async def test_a_batch_may_differ_in_any_column(sqlite: SqlStore) -> None:
    now = sqlite.clock.now()
    jobs = [
        a_job(now=now),
        a_job(now=now, queue="other", priority=Priority.HIGH, tenant="t", correlation_id="c", ttl=HOUR),
        a_submitted_job(now=now, delay=HOUR, max_attempts=7, timeout=HOUR),
    ]

    await sqlite.jobs.add([[NewJob(job=job)] for job in jobs])

    assert await sqlite.jobs.get([job.id for job in jobs]) == jobs
    notices = await sqlite.outbox.pending(limit=10, older_than=timedelta(0))
    assert [notice.job for notice in notices] == jobs[:2]


async def test_batches_that_differ_in_the_same_columns_share_a_statement(sqlite: SqlStore) -> None:
    short = sqlite.jobs._adding._insertion._short
    assert short is not None
    now = sqlite.clock.now()
    plain, again, mixed = (
        short.bound([a_job(now=now, queue=queue) for queue in queues])[0] for queues in ("ab", "cd", "ee")
    )

    assert plain is again
    assert mixed is not plain


async def test_the_hot_statements_find_their_rows_by_their_keys(sqlite: SqlStore) -> None:
    jobs = [a_job(now=sqlite.clock.now()) for _ in range(MANY)]
    for at in range(0, MANY, 1_000):
        await sqlite.jobs.add([[NewJob(job=job)] for job in jobs[at : at + 1_000]])

    plans = {name: await _plan(sqlite, *asked) for name, asked in _statements(sqlite).items()}

    assert {name: plan for name, plan in plans.items() if _READS_ALL.search(plan)} == {}
    assert "SEARCH jobs USING INTEGER PRIMARY KEY (rowid>?)" in plans["notices"]


async def test_a_statement_that_takes_too_long_is_ended(sqlite_url: str) -> None:
    async with open_sql_store(sqlite_url, statement_timeout_s=0.1) as store:
        endless = store._database.dialect.hot(text(f"INSERT INTO leadership {NUMBERS} SELECT x, x, x FROM n"))
        with pytest.raises(StorageUnavailable, match="interrupted"):
            await store._database.hot(endless, {})

        world = StoreWorld(store=store)
        assert await world.seen(await world.queued()) is not None


async def test_what_is_left_open_on_a_connection_is_undone_when_it_comes_back(sqlite: SqlStore) -> None:
    async with sqlite._database.writes.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("BEGIN IMMEDIATE")
        await driver.execute("INSERT INTO leadership VALUES ('left', 'open', 0)")

    rows = await sqlite._database.read(text("SELECT count(*) FROM leadership WHERE role = 'left'"))

    assert rows[0][0] == 0
    world = StoreWorld(store=sqlite)
    assert await world.seen(await world.queued()) is not None


def _statements(store: SqlStore) -> dict[str, tuple[SqliteHot, Params]]:
    job = a_job(now=store.clock.now())
    saving, outbox, leases = store.jobs._saving, store.outbox, store.leases
    common = saving._common.bound([started(job, now=store.clock.now())])
    short = store.jobs._adding._insertion._short
    assert common is not None
    assert short is not None
    storing, _ = short.bound([job])
    assert isinstance(storing, Storing)
    fences = leases._fences.bound([(job.id, 1, job.stamp)])
    asked: dict[str, tuple[Hot, Params]] = {
        "moves": (saving._common.statement, common),
        "look": (store.jobs._finding.statement, store.jobs._finding.bound([job.id])),
        "forget": (outbox._forgetting, outbox._rows.bound([(1,)])),
        "renew": (leases._renewing, fences | {"lease": HOUR}),
        "standing": (leases._standing, fences),
        "notices": (storing.notices, {"beyond": 1}),
    }
    return {name: (hot, params) for name, (hot, params) in asked.items() if isinstance(hot, SqliteHot)}


async def _plan(store: SqlStore, hot: SqliteHot, params: Params) -> str:
    async with store._database.reads.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        rows = await driver.execute_fetchall(f"EXPLAIN QUERY PLAN {hot.text}", hot.values(params))
    return "\n".join(row[3] for row in rows)
