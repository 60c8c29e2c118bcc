"""The hot path finds its rows by their keys, also by plans that were made when the tables were empty."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from jobmill.adapters.sql import SqlStore, open_sql_store
from jobmill.adapters.sql.dialect import Hot, Params
from jobmill.adapters.sql.postgres_line import PostgresLine
from jobmill.adapters.sql.sqlite_hot import SqliteHot
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.ports.progress import ProgressReport
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.job import Job

from tests.builders import HOUR, a_job, a_stamp

MANY = 3_000
#: A plan that reads a table from its beginning to its end, or looks at each row of a batch for each other.
_READS_ALL = re.compile(r"Seq Scan|Nested Loop|Index Scan using \w*(?<!pkey)(?:_idx|by_\w+) on")

#: A table from its beginning to its end, unless it is empty; or all that is in a state.
_READS_QUEUED = re.compile(r"Seq Scan on jobs_\w+(?: \w+)?  \(cost=0\.00\.\.(?!0\.0)|_state_\w*idx")


def _statements(store: SqlStore) -> dict[str, tuple[Hot, Params]]:
    """Return the hot statements, each with a batch."""
    job = a_job(now=store.clock.now())
    start = job.start(worker="w", lease=HOUR, now=job.created_at, stamp=a_stamp())
    cancelled = job.cancel(now=job.created_at, stamp=a_stamp())
    saving, outbox, leases = store.jobs._saving, store.outbox, store.leases
    fences = [(job.id, 1, job.stamp)]
    common = saving._common.bound([start])
    assert common is not None
    general = saving.chain.whole(*saving.bound([cancelled]))
    assert general is not None
    fresh = store.jobs._adding._fresh
    assert fresh is not None
    keyed = fresh.bound([NewJob(job=a_job(now=store.clock.now()), keys=(KeyClaim(scope="s", key="k"),))])
    assert keyed is not None
    return {
        "fresh keys": keyed,
        "start": (saving._common.statement, common),
        "any move": general,
        "look": (store.jobs._finding.statement, store.jobs._finding.bound([job.id])),
        "forget": (outbox._forgetting, outbox._rows.bound([(1,)])),
        "renew": (leases._renewing, leases._fences.bound(fences) | {"lease": HOUR}),
        "standing": (leases._standing, leases._fences.bound(fences)),
    }


async def _line(store: SqlStore) -> Any:  # noqa: ANN401 - a connection of the pool
    line = store._database.line
    assert isinstance(line, PostgresLine)
    return await line._engine.raw_connection()


def _report(job: Job) -> ProgressReport:
    return ProgressReport(fence=job.fence, attempt=job.attempt, fraction=0.5, note=None)


def _spelled(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        texts = ("NULL" if each is None else json.dumps(each) for each in value)
        return "'{" + ",".join(texts).replace("'", "''") + "}'"
    text = f"{value.total_seconds()} seconds" if isinstance(value, timedelta) else str(value)
    return "'" + text.replace("'", "''") + "'"


@pytest.mark.parametrize("name", ["fresh keys", "start", "any move", "look", "forget", "renew", "standing"])
async def test_a_plan_made_for_empty_tables_finds_rows_by_their_keys(postgres: SqlStore, name: str) -> None:
    hot, params = _statements(postgres)[name]
    values = ", ".join(map(_spelled, hot.values(params)))
    lent = await _line(postgres)
    try:
        driver = lent.driver_connection
        await driver.execute(f"PREPARE it AS {hot.text}")
        await driver.execute(f"EXECUTE it ({values})")  # now there is a plan
        now = postgres.clock.now()
        keys = ((KeyClaim(scope="s", key=str(at)),) for at in range(MANY // 3))
        await postgres.jobs.add([[NewJob(job=a_job(now=now), keys=each)] for each in keys])
        plan = await driver.fetch(f"EXPLAIN EXECUTE it ({values})")
        await driver.execute("DEALLOCATE it")
    finally:
        lent.close()

    lines = [line for (line,) in plan]
    assert not [line for line in lines if _READS_ALL.search(line)], "\n".join(lines)
    assert any("pkey" in line for line in lines)
    # Else the text of the array is read again for each partition, and for each row changed meanwhile.
    assert not [line for line in lines if "Index Cond" in line and "[]" in line], "\n".join(lines)


async def test_a_refill_finds_its_jobs_by_their_ids(postgres: SqlStore) -> None:
    """Of all that are queued, of which there may be a million, each page touches its own."""
    now = postgres.clock.now()
    await postgres.jobs.add([[NewJob(job=a_job(now=now))] for _ in range(MANY)])
    await postgres.epochs.begin("new")
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(_conn: object, _cursor: object, text: str, values: tuple[object, ...], *_: object) -> None:
        if "EXISTS" in text:
            asked.append((text, values))

    engine = postgres._database.units.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await postgres._database.write(text("ANALYZE"))
    assert await postgres.epochs.refill([a_stamp() for _ in range(100)]) == 100
    event.remove(engine, "before_cursor_execute", note)

    assert len(asked) == 2
    for statement, values in asked:
        async with postgres._database.units.connect() as connection:
            steps = (await connection.exec_driver_sql(f"EXPLAIN {statement}", values)).all()
        lines = [str(row[0]) for row in steps]
        assert not [line for line in lines if _READS_QUEUED.search(line)], "\n".join(lines)


async def test_the_planner_is_told_so_on_the_connections_of_the_hot_path_alone(postgres: SqlStore) -> None:
    told = "SELECT current_setting('enable_nestloop')"
    lent = await _line(postgres)
    try:
        assert await lent.driver_connection.fetchval(told) == "off"
    finally:
        lent.close()

    [row] = await postgres._database.read(text(told))
    assert row[0] == "on"


async def test_on_sqlite_a_batch_finds_its_jobs_by_their_ids(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_sql_store(sqlite_url) as store:
        now = store.clock.now()
        jobs = [a_job(now=now) for _ in range(3)]
        await store.jobs.add([[NewJob(job=job)] for job in jobs])
        sent: list[tuple[str, tuple[object, ...]]] = []

        def note(_conn: object, _cursor: object, asked: str, values: tuple[object, ...], *_: object) -> None:
            if re.search("UPDATE jobs|DELETE FROM outbox|INTO job_progress|calls", asked):
                sent.append((asked, values))

        bind = SqliteHot.values

        def noted_bind(hot: SqliteHot, params: Params) -> list[Any]:
            note(None, None, hot.text, tuple(bind(hot, params)))
            return bind(hot, params)

        monkeypatch.setattr(SqliteHot, "values", noted_bind)
        engine = store._database.units.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        starts = [job.start(worker="w", lease=HOUR, now=now, stamp=a_stamp()) for job in jobs[:2]]
        await store.jobs.save(starts)
        await store.jobs.save([jobs[2].cancel(now=now, stamp=a_stamp())])
        await store.leases.renew([start.job.fence for start in starts], ttl=HOUR)
        await store.leases.ask_to_stop([job.id for job in jobs])
        await store.progress.write([_report(start.job) for start in starts])
        await store.outbox.forget([job.stamp for job in jobs])
        waiting = a_job(now=now)
        await store.jobs.add([[NewJob(job=waiting)]])
        await store.outbox.announce([waiting.fence], rows=[a_stamp()])
        await store.barriers.went_back([waiting.fence])
        event.remove(engine, "before_cursor_execute", note)

        assert len(sent) == 10
        for asked, values in sent:
            async with store._database.units.connect() as connection:
                steps = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)
                plan = "\n".join(str(tuple(row)[-1]) for row in steps)
            assert re.search(
                r"SEARCH (jobs|outbox) USING (INDEX sqlite_autoindex|INTEGER PRIMARY KEY)", plan
            ), plan
            assert "jobs_by_" not in plan, plan
