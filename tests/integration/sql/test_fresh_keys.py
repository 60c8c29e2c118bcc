"""New jobs with keys on PostgreSQL: one statement while nobody has the keys, the steps where somebody has."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text

from jobmill.adapters.sql import SqlStore
from jobmill.application.ports.job_repository import Conflicting, NewJob, Replayed, Stored, Withheld
from jobmill.domain.idempotency import KeyClaim

from tests.builders import a_job
from tests.contract.store_world import StoreWorld
from tests.integration.sql.backends import Backends
from tests.integration.sql.hearing import heard


@pytest.fixture
def sent(postgres: SqlStore) -> Iterator[list[str]]:
    """The statements sent since; BEGIN and COMMIT are seen as such."""
    statements: list[str] = []
    with heard(postgres._database.units.sync_engine, statements.append):
        yield statements


def unit_of(store: SqlStore, *keys: str, fingerprint: str = "") -> Sequence[NewJob]:
    now, claims = store.clock.now(), [KeyClaim(scope="s", key=key, fingerprint=fingerprint) for key in keys]
    return [NewJob(job=a_job(now=now, tags=("a",)), keys=(claim,)) for claim in claims]


async def rows(store: SqlStore, table: str) -> int:
    [row] = await store._database.read(text(f"SELECT count(*) FROM {table}"))
    return int(row[0])


async def test_keys_that_nobody_has_take_one_statement(
    postgres: SqlStore, postgres_world: StoreWorld, sent: list[str]
) -> None:
    units = [unit_of(postgres, "1", "2"), unit_of(postgres, "3")]

    answers = await postgres.jobs.add(units)

    assert len(sent) == 1
    assert [[type(each) for each in unit] for unit in answers] == [[Stored, Stored], [Stored]]
    jobs = [new.job for unit in units for new in unit]
    assert await postgres.jobs.get([job.id for job in jobs]) == jobs
    assert {notice.job.id for notice in await postgres_world.notices()} == {job.id for job in jobs}
    assert [await rows(postgres, table) for table in ("job_keys", "job_tags")] == [3, 3]


async def test_a_key_is_kept_as_long_as_it_asks(postgres: SqlStore) -> None:
    job = a_job(now=postgres.clock.now())
    hold = timedelta(days=7)
    await postgres.jobs.add([[NewJob(job=job, keys=(KeyClaim(scope="s", key="k", hold=hold),))]])

    asked = "SELECT extract(epoch FROM expires_at - statement_timestamp()) FROM job_keys"
    [row] = await postgres._database.read(text(asked))
    assert float(row[0]) == pytest.approx(hold.total_seconds(), abs=60)


async def test_where_one_key_is_held_the_steps_decide_on_all(postgres: SqlStore) -> None:
    await postgres.jobs.add([unit_of(postgres, "2", fingerprint="x")])

    same, other = unit_of(postgres, "1", "2", fingerprint="x"), unit_of(postgres, "2", "3", fingerprint="y")
    [replayed] = await postgres.jobs.add([same])
    [withheld] = await postgres.jobs.add([other])

    assert [type(each) for each in replayed] == [Stored, Replayed]
    assert [type(each) for each in withheld] == [Conflicting, Withheld]
    assert await rows(postgres, "jobs") == 2


async def test_a_held_key_is_seen_before_anything_is_written(postgres: SqlStore) -> None:
    """Or the server's log would have an error for every call that is repeated."""
    await postgres.jobs.add([unit_of(postgres, "2")])
    fresh = postgres.jobs._adding._fresh
    assert fresh is not None
    whole = fresh.bound(unit_of(postgres, "1", "2"))
    assert whole is not None

    assert not await postgres._database.hot(*whole)
    assert await rows(postgres, "jobs") == 1


async def test_the_same_call_again_finds_its_own(postgres: SqlStore) -> None:
    unit = unit_of(postgres, "1", "2")
    await postgres.jobs.add([unit])

    [again] = await postgres.jobs.add([unit])

    assert [each.job for each in again if isinstance(each, Stored)] == [new.job for new in unit]
    assert [await rows(postgres, table) for table in ("jobs", "job_keys", "outbox")] == [2, 2, 2]


async def test_a_key_that_is_taken_in_the_same_moment_is_met_all_the_same(
    postgres: SqlStore, backends: Backends, sent: list[str]
) -> None:
    """The other's key stands in no snapshot of the statement, which the database then refuses as a whole."""
    theirs = a_job(now=postgres.clock.now())
    await postgres.jobs.add([[NewJob(job=theirs)]])
    transaction = backends.connection.transaction()
    await transaction.start()
    taken = "INSERT INTO job_keys VALUES ('s', '2', $1, '', statement_timestamp() + interval '1 day')"
    await backends.connection.execute(taken, theirs.id)
    adding = asyncio.create_task(postgres.jobs.add([unit_of(postgres, "1", "2")]))
    await backends.wait()

    await transaction.commit()

    [[stored, replayed]] = await adding
    assert isinstance(stored, Stored)
    assert replayed == Replayed(job=theirs)
    assert len(sent) > 2
    assert await rows(postgres, "jobs") == 2
