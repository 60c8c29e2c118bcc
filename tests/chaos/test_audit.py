"""The audit sees what it is there to see: each of these would fail a trial."""

from collections.abc import AsyncGenerator
from uuid import UUID

import asyncpg
import pytest_asyncio
from attrs import frozen

from jobmill.adapters.sql import SqlStore, migrate, open_sql_store
from jobmill.application.ports.job_repository import NewJob
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import NOW, SECOND, a_job_that_is, an_id
from tests.chaos.audit import LOST, Findings, audit
from tests.chaos.book import Book
from tests.chaos.faults.processes import ROLLING
from tests.chaos.faults.scene import Aftermath
from tests.chaos.injector import Incident
from tests.chaos.mix import Order
from tests.chaos.recorder import SCHEMA
from tests.chaos.watch import Watch

QUICK = Order(kind="quick", body={})
HOPELESS = Order(kind="hopeless", body={})


@frozen(kw_only=True)
class Place:
    """A database after a trial, and the clients' book of it."""

    url: str
    store: SqlStore
    book: Book

    async def has(self, job: Job, *, order: Order = QUICK, effects: int = 0) -> Job:
        """Put a job there that was accepted."""
        await self.store.jobs.add([[NewJob(job=job)]])
        self.book.accept([order], [job.id])
        for _ in range(effects):
            insert = (
                "insert into chaos.effects values (gen_random_uuid(), $1, $2, 1, 1, $3)"  # ended_at by itself
            )
            await self.execute(insert, job.id, str(job.id), NOW - SECOND)
        return job

    async def execute(self, statement: str, *values: object) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    async def audited(self, *incidents: Incident) -> Findings:
        watch = Watch(url=self.url)
        try:
            return await audit(watch, self.book, incidents)
        finally:
            watch.close()


@pytest_asyncio.fixture
async def place(postgres_url: str) -> AsyncGenerator[Place]:
    await migrate(postgres_url)
    async with open_sql_store(postgres_url) as store:
        place = Place(url=postgres_url, store=store, book=Book())
        await place.execute(SCHEMA)
        yield place


async def test_a_trial_in_which_all_went_well_has_no_faults(place: Place) -> None:
    await place.has(a_job_that_is(JobState.SUCCEEDED), effects=1)
    await place.has(a_job_that_is(JobState.FAILED), order=HOPELESS)

    findings = await place.audited()

    assert findings.faults == {}
    assert findings.ends == {"succeeded": 1, "failed": 1}


async def test_an_accepted_job_that_is_unknown_or_open_is_lost(place: Place) -> None:
    forgotten = an_id()
    place.book.accept([QUICK], [forgotten])
    stuck = await place.has(a_job_that_is(JobState.QUEUED))

    findings = await place.audited()

    assert findings.lost == 2
    assert _blamed(findings, LOST) == {forgotten, stuck.id}


async def test_a_wrong_end_is_seen(place: Place) -> None:
    failed = await place.has(a_job_that_is(JobState.FAILED))
    revived = await place.has(a_job_that_is(JobState.SUCCEEDED), order=HOPELESS, effects=1)
    ignored = await place.has(a_job_that_is(JobState.SUCCEEDED), effects=1)
    place.book.must_end(ignored.id, "cancelled")

    findings = await place.audited()

    assert _blamed(findings, "accepted jobs with a wrong end") == {failed.id, revived.id, ignored.id}


async def test_success_without_effect_and_an_effect_after_the_end_are_seen(place: Place) -> None:
    hollow = await place.has(a_job_that_is(JobState.SUCCEEDED))
    late = await place.has(a_job_that_is(JobState.CANCELLED, finished_at=NOW - 10 * SECOND), effects=1)
    place.book.must_end(late.id, "cancelled")

    findings = await place.audited()

    assert _blamed(findings, "succeeded without effect") == {hollow.id}
    assert _blamed(findings, "started after the end of the job") == {late.id}


async def test_a_submission_that_made_two_jobs_is_seen(place: Place) -> None:
    first = a_job_that_is(JobState.SUCCEEDED, idempotency_key="k")
    await place.has(first, effects=1)
    await place.store.jobs.add([[NewJob(job=a_job_that_is(JobState.SUCCEEDED))]])
    await place.execute("update jobs set idempotency_key = 'k'")

    findings = await place.audited()

    assert findings.faults["submissions stored twice"] == ["k"]
    assert len(findings.faults["jobs that nobody was told of"]) == 1


async def test_an_attempt_that_a_rolling_restart_burnt_is_seen(place: Place) -> None:
    burnt = await place.has(a_job_that_is(JobState.SUCCEEDED), effects=1)
    before = await place.has(a_job_that_is(JobState.SUCCEEDED), effects=1)
    history = "insert into job_history (job_id, version, fact, attempt, at, worker, failure_kind)"
    lost = f"{history} values ($1, 2, 'retry scheduled', 1, $2, 'host:4711', 'worker-lost')"
    await place.execute(lost, burnt.id, NOW)
    await place.execute(lost, before.id, NOW - SECOND)
    rolled = Incident(
        kind=ROLLING.name,
        lane="processes",
        began_s=0.0,
        aftermath=Aftermath(rolled=[(4711, NOW), (471, NOW)]),
    )

    findings = await place.audited(rolled)

    assert findings.burnt_by_rolling == 1
    assert _blamed(findings, "attempts burnt by a rolling restart") == {burnt.id}


async def test_a_job_that_lost_all_its_workers_counts_apart(place: Place) -> None:
    job = await place.has(a_job_that_is(JobState.FAILED))
    await place.execute("update jobs set error_kind = 'worker-lost'")

    findings = await place.audited()

    assert findings.spent == 1
    assert findings.faults == {}
    assert findings.by_kind["quick", "failed"] == 1
    assert job.id in place.book.kind_of


async def test_a_transactional_effect_that_is_not_exactly_one_is_seen(place: Place) -> None:
    charges = {}
    for state, count in ((JobState.SUCCEEDED, 1), (JobState.SUCCEEDED, 0), (JobState.SUCCEEDED, 2)):
        job = await place.has(a_job_that_is(state, type="chaos.charge"))
        charges[job.id] = count
    failed = await place.has(a_job_that_is(JobState.FAILED, type="chaos.charge"), order=HOPELESS)
    charges[failed.id] = 1
    for job_id, count in charges.items():
        for _ in range(count):
            await place.execute("insert into chaos.charges values ($1, 1)", job_id)

    findings = await place.audited()

    wrong = {job_id for job_id, count in charges.items() if count != 1} | {failed.id}
    assert _blamed(findings, "transactional effects that are not exactly one") == wrong
    assert findings.charges == 4


def _blamed(findings: Findings, fault: str) -> set[UUID]:
    return {UUID(item[:36]) for item in findings.faults[fault]}
