"""No filter and no look of the scheduler reads the whole table, on either database."""

import re
import shutil
from collections.abc import AsyncGenerator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import event, text

from jobmill.adapters.sql import SqlStore, open_sql_store
from jobmill.application.ports.barriers import Barrier
from jobmill.application.ports.job_finder import JobQuery
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import JobState, Priority

from tests.builders import HOUR, a_job_that_is, an_id
from tests.servers.databases import Databases

MANY = 20_000

Asked = tuple[str, tuple[object, ...]]

# Each filter by itself, and some together.
QUERIES = [
    JobQuery(),
    JobQuery(newest_first=False),
    JobQuery(after=an_id()),
    JobQuery(states=frozenset({JobState.FAILED})),
    JobQuery(states=frozenset({JobState.FAILED, JobState.EXPIRED, JobState.SUCCEEDED})),
    JobQuery(type="rare"),
    JobQuery(queue="rare"),
    JobQuery(tenant="rare"),
    JobQuery(correlation_id="rare"),
    JobQuery(tag="rare"),
    JobQuery(tag="rare", states=frozenset({JobState.FAILED}), queue="rare"),
    JobQuery(type="common", states=frozenset({JobState.RETRYING})),
]


async def fill(url: str) -> None:
    """Store many finished jobs, and statistics that say so."""
    async with open_sql_store(url) as store:
        now = store.clock.now()
        jobs = [
            a_job_that_is(
                JobState.SUCCEEDED,
                now=now,
                type="common",
                queue="common",
                tenant="common",
                correlation_id=f"c-{at}",
                tags=("common",),
                ttl=HOUR,
                expires_at=now,
                stop_asked=True,
            )
            for at in range(MANY)
        ]
        jobs += [a_job_that_is(JobState.QUEUED, now=now, queue="common") for _ in range(1_000)]
        for at in range(0, len(jobs), 1_000):
            await store.jobs.add([[NewJob(job=job)] for job in jobs[at : at + 1_000]])
        if store._database.writes.dialect.name == "postgresql":
            await store._database.write(text("ANALYZE"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def full_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full file, to be copied."""
    path = tmp_path_factory.mktemp("full") / "jobmill.db"
    shutil.copyfile(sqlite_template, path)
    await fill(f"sqlite:///{path}")
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def full_postgres(databases: Databases, postgres_template: str) -> str:
    """A full database, to be copied while nobody is connected to it."""
    url = await databases.create(template=postgres_template)
    await fill(url)
    return url


@pytest_asyncio.fixture
async def copied_postgres(databases: Databases, full_postgres: str) -> AsyncGenerator[str]:
    """A full database of one's own."""
    async with databases.fresh(template=full_postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def full_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A full database of either kind."""
    if request.param == "sqlite":
        path = tmp_path / "jobmill.db"
        shutil.copyfile(request.getfixturevalue("full_sqlite"), path)
        return f"sqlite:///{path}"
    found: str = request.getfixturevalue("copied_postgres")
    return found


@pytest_asyncio.fixture
async def full(full_url: str) -> AsyncGenerator[SqlStore]:
    """A store with many finished jobs."""
    async with open_sql_store(full_url) as opened:
        yield opened


@pytest.fixture
def plans(full: SqlStore) -> Iterator[list[Asked]]:
    """The statements that read since, with their parameters, to be explained."""
    engine = full._database.reads.sync_engine
    statements: list[Asked] = []

    def note(
        _conn: object, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object
    ) -> None:
        if " FROM " in statement.replace("\n", " "):  # the store's clock asks for the time now and then
            statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def explained(store: SqlStore, statement: str, parameters: tuple[object, ...]) -> str:
    """The plan of a statement, one step a line."""
    async with store._database.reads.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        rows = (await connection.exec_driver_sql(explain + statement, parameters)).all()
    return "\n".join(str(row[-1]) for row in rows)


def whole_tables(plan: str) -> list[str]:
    """The steps that read a whole table: without an index, or along an index without a bound or a limit."""
    in_full = r"Seq Scan on \w+(?: \w+)?  \(cost=0\.00\.\.(?!0\.0)"  # an empty partition costs nothing
    return re.findall(in_full + r"|SCAN jobs(?! USING)|SCAN job_tags(?! USING)|SCAN outbox.*", plan)


async def test_no_filter_reads_the_whole_table(full: SqlStore, plans: list[Asked]) -> None:
    for query in QUERIES:
        plans.clear()
        await full.finder.page(query)

        for asked in plans[:]:
            plan = await explained(full, *asked)
            assert whole_tables(plan) == [], (query, plan)


async def test_the_scheduler_reads_no_finished_jobs(full: SqlStore, plans: list[Asked]) -> None:
    await full.due_jobs.due(limit=100)
    await full.due_jobs.expired(limit=100)
    await full.due_jobs.to_cancel(limit=100)
    looking = full.agenda._looking.statement
    await full._database.read(looking, {"left_after": timedelta(0)})
    await full.leases.lapsed(limit=100)
    await full.finder.counts()
    asked = list(plans)

    assert len(asked) == 6
    for statement, parameters in asked:
        plan = await explained(full, statement, parameters)
        assert [step for step in whole_tables(plan) if "outbox" not in step] == [], plan
        assert re.search(r"jobs_by_|jobs_to_cancel|jobs_\d{8}_\w+_idx", plan), plan


async def test_what_waits_for_others_is_found_by_what_it_waits_for(
    full: SqlStore, plans: list[Asked]
) -> None:
    [callback] = [a_job_that_is(JobState.SCHEDULED, now=full.clock.now(), batch_size=1)]
    await full.jobs.add([[NewJob(job=callback)]])
    plans.clear()
    await full.ended_jobs.ended(limit=100)
    await full.ended_jobs.held_after([an_id(), an_id()], limit=100)
    await full.ended_jobs.tallies([callback.id])
    asked = list(plans)

    assert len(asked) == 4
    for statement, parameters in asked:
        plan = await explained(full, statement, parameters)
        assert whole_tables(plan) == [], plan


async def test_lost_notices_are_found_without_reading_what_waits(full: SqlStore, plans: list[Asked]) -> None:
    """A backlog may be large, and all of it younger than what a barrier judges."""
    lanes = [Lane(queue=queue, priority=each) for queue in ("common", "rare") for each in Priority]
    barrier = Barrier(id=an_id(), lane=lanes[0], judges_before=full.clock.now() - HOUR)
    assert await full.barriers.begin(barrier, replaces=None)
    assert await full.barriers.came_back(barrier)
    plans.clear()

    assert await full.barriers.lost(barrier, after=timedelta(0), limit=500) == []
    assert await full.barriers.wanted(lanes, margin=HOUR) == []

    assert len(plans) == 2
    for statement, parameters in plans[:]:
        plan = await explained(full, statement, parameters)
        assert [step for step in whole_tables(plan) if "jobs" in step] == [], plan
        assert re.search(r"jobs_by_announcement|jobs_\d{8}_queue_priority_announced_at_idx", plan), plan


async def test_a_page_between_two_times_starts_at_the_ids_of_that_time(
    full: SqlStore, plans: list[Asked]
) -> None:
    now = full.clock.now()
    await full.finder.page(JobQuery(created_from=now - HOUR, created_before=now))

    [(statement, parameters)] = plans
    assert whole_tables(await explained(full, statement, parameters)) == []
    assert statement.count("jobs.id >=") == statement.count("jobs.id <") == 1


async def test_notices_are_read_by_their_age(full: SqlStore, plans: list[Asked]) -> None:
    await full.outbox.pending(limit=10, older_than=timedelta(0))

    assert "outbox_by_age" in await explained(full, *plans[0])


async def test_notices_that_nobody_attends_have_an_index_of_their_own(
    full: SqlStore, plans: list[Asked]
) -> None:
    """The leader looks for them twice a second, and as a rule there are none."""
    bound = {"older_than": timedelta(0), "rows_max": 10} | full.outbox._without.bound([])
    for reading in full.outbox._any_unattended.statement, full.outbox._unattended:
        await full._database.read(reading, bound)

    for asked in plans[:]:
        assert "outbox_unattended" in await explained(full, *asked)


async def test_jobs_that_are_waited_for_are_found_by_their_ids(full: SqlStore, plans: list[Asked]) -> None:
    await full.finder.finished([an_id() for _ in range(100)])

    [asked] = plans
    assert whole_tables(await explained(full, *asked)) == []


async def test_jobs_are_made_by_time_and_found_by_it(full: SqlStore) -> None:
    """The bounds on ids are a short cut, and no filter of their own."""
    now = full.clock.now()
    early, late = (
        a_job_that_is(JobState.QUEUED, now=moment, id=an_id_of(moment), queue="rare")
        for moment in (now - 2 * HOUR, now - HOUR)
    )
    await full.jobs.add([[NewJob(job=early)], [NewJob(job=late)]])

    async def found(**wanted: Any) -> list[UUID]:
        return [job.id for job in await full.finder.page(JobQuery(queue="rare", **wanted))]

    assert await found(created_from=late.created_at) == [late.id]
    assert await found(created_before=late.created_at) == [early.id]
    assert await found(created_from=early.created_at, created_before=now) == [late.id, early.id]


def an_id_of(moment: datetime) -> UUID:
    """An id as it is made at a moment."""
    rest = an_id().int & ((1 << 80) - 1)
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | rest)
