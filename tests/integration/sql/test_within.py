"""Jobs that are stored in a transaction of the caller's: with it, or not at all."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

import jobmill
from jobmill import Client, JobState, Submission

from tests.integration.sql.shop import DRIVERS, Charge, Shop, charge, commits, does, open_shop
from tests.servers.databases import Databases
from tests.servers.waiting import until

ALL = [
    pytest.param((kind, driver), id=driver, marks=[pytest.mark.postgres] if kind == "postgres" else [])
    for kind, drivers in DRIVERS.items()
    for driver in drivers
]


@pytest.fixture
def migrated_url(copied_url: str) -> str:
    """Another copy of the template has the same identity."""
    return copied_url


@pytest.fixture(params=ALL)
def place(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The URL of a migrated database, and a driver for it."""
    kind, driver = request.param
    return request.getfixturevalue("sqlite_url" if kind == "sqlite" else "migrated_url"), driver


@pytest_asyncio.fixture
async def mill(place: tuple[str, str]) -> AsyncGenerator[Client]:
    async with jobmill.connect(place[0]) as client:
        yield client


@pytest_asyncio.fixture
async def shop(place: tuple[str, str]) -> AsyncGenerator[Shop]:
    async with open_shop(*place) as opened:
        yield opened


async def test_a_rollback_leaves_nothing_in_any_table(mill: Client, shop: Shop) -> None:
    async with shop.session() as session:
        await does(session, "INSERT INTO orders VALUES (7)")
        await mill.submit(charge, Charge(7), within=session, idempotency_key="order-7", tags=["vip"])

    assert await shop.counts() == {}


async def test_a_job_that_comes_before_any_row_of_the_caller_is_rolled_back_too(
    mill: Client, shop: Shop
) -> None:
    async with shop.session() as session:
        await mill.submit(charge, Charge(7), within=session)
        await does(session, "INSERT INTO orders VALUES (7)")

    assert await shop.counts() == {}


async def test_a_commit_makes_exactly_one_job_beside_the_callers_row(mill: Client, shop: Shop) -> None:
    async with shop.session() as session:
        await does(session, "INSERT INTO orders VALUES (7)")
        job = await mill.submit(charge, Charge(7), within=session, idempotency_key="order-7", tags=["vip"])
        await commits(session)

    assert await shop.counts() == {"jobs": 1, "outbox": 1, "job_tags": 1, "job_keys": 1, "orders": 1}
    seen = await mill.get(job.id)
    assert (seen.status, seen.tags) == (JobState.QUEUED, ("vip",))
    assert seen.payload == {"order": 7, "card": "tok_1"}


async def test_a_plain_connection_serves_as_well_as_a_session(mill: Client, shop: Shop) -> None:
    async with shop.connection() as connection:
        await mill.submit_many([Submission(charge, Charge(at)) for at in range(3)], within=connection)
        await commits(connection)

    assert await shop.counts() == {"jobs": 3, "outbox": 3}


async def test_nobody_but_the_leader_is_expected_to_publish_such_a_job(mill: Client, shop: Shop) -> None:
    async with shop.session() as session:
        await mill.submit(charge, Charge(7), within=session)
        await commits(session)
        attended = await does(session, "SELECT attended FROM outbox")

        assert not attended.scalar_one()


async def test_the_same_request_under_the_same_key_is_answered_with_its_job(mill: Client, shop: Shop) -> None:
    earlier = await mill.submit(charge, Charge(7), idempotency_key="order-7")

    async with shop.session() as session:
        again = await mill.submit(charge, Charge(7), within=session, idempotency_key="order-7")
        await commits(session)

    assert (again.id, again.replayed) == (earlier.id, True)
    assert (await shop.counts())["jobs"] == 1


async def test_a_key_taken_by_the_callers_own_transaction_answers_in_it(mill: Client, shop: Shop) -> None:
    async with shop.session() as session:
        first = await mill.submit(charge, Charge(7), within=session, unique="order-7")
        second = await mill.submit(charge, Charge(8), within=session, unique="order-7")
        await commits(session)

    assert second.id == first.id
    assert (await shop.counts())["jobs"] == 1


async def test_after_a_conflict_the_callers_transaction_goes_on(mill: Client, shop: Shop) -> None:
    await mill.submit(charge, Charge(7), idempotency_key="order-7")

    async with shop.session() as session:
        await does(session, "INSERT INTO orders VALUES (8)")
        with pytest.raises(jobmill.IdempotencyConflict):
            await mill.submit(charge, Charge(8), within=session, idempotency_key="order-7")
        await commits(session)

    assert await shop.counts() == {"jobs": 1, "outbox": 1, "job_keys": 1, "orders": 1}


async def test_a_refused_payload_stores_nothing_and_hurts_nothing(mill: Client, shop: Shop) -> None:
    wrong: Any = {"order": 8}

    async with shop.session() as session:
        await does(session, "INSERT INTO orders VALUES (8)")
        with pytest.raises(jobmill.InvalidPayload) as refusal:
            await mill.submit(charge, wrong, within=session)
        await commits(session)

    assert refusal.value.errors == [("/payload", "must be a Charge, not a dict")]
    assert await shop.counts() == {"orders": 1}


async def test_a_transaction_of_another_database_is_refused_by_name(
    place: tuple[str, str], mill: Client, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    other = await _copy_of(place[0], request, tmp_path)

    async with open_shop(other, place[1]) as shop, shop.session() as session:
        with pytest.raises(jobmill.ForeignDatabase, match=r"leads to .* and this client's Jobmill is in"):
            await mill.submit(charge, Charge(7), within=session)
        await does(session, "INSERT INTO orders VALUES (8)")
        await commits(session)

        assert await shop.counts() == {"orders": 1}


async def test_a_database_without_any_jobmill_is_refused_too(
    place: tuple[str, str], mill: Client, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    is_sqlite = place[0].startswith("sqlite")
    bare = f"sqlite:///{tmp_path / 'bare.db'}" if is_sqlite else await _empty(request)

    async with open_shop(bare, place[1]) as shop, shop.session() as session:
        with pytest.raises(jobmill.ForeignDatabase):
            await mill.submit(charge, Charge(7), within=session)


async def test_a_database_of_the_other_kind_is_refused(migrated_url: str, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path / 'other.db'}"

    async with (
        jobmill.connect(migrated_url) as client,
        open_shop(other, "sqlite+pysqlite") as shop,
        shop.session() as session,
    ):
        with pytest.raises(jobmill.ForeignDatabase):
            await client.submit(charge, Charge(7), within=session)


async def test_a_connection_that_commits_by_itself_is_refused(place: tuple[str, str], mill: Client) -> None:
    async with open_shop(*place, isolation_level="AUTOCOMMIT") as shop, shop.session() as session:
        with pytest.raises(jobmill.InvalidInput, match="AUTOCOMMIT"):
            await mill.submit(charge, Charge(7), within=session)

        assert await shop.counts() == {}


async def test_what_is_no_session_is_refused(mill: Client) -> None:
    cursor: Any = object()

    with pytest.raises(jobmill.InvalidInput, match="as_sql"):
        await mill.submit(charge, Charge(7), within=cursor)


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_a_key_that_a_rival_has_not_committed_is_waited_for(migrated_url: str, ending: str) -> None:
    async with jobmill.connect(migrated_url) as mill, open_shop(migrated_url, "postgresql+asyncpg") as shop:
        async with shop.session() as first, shop.session() as second:
            taken = await mill.submit(charge, Charge(7), within=first, idempotency_key="k")
            rival = asyncio.create_task(mill.submit(charge, Charge(7), within=second, idempotency_key="k"))
            await _somebody_waits(migrated_url)
            await getattr(first, ending)()
            job = await rival
            await commits(second)

        assert job.replayed is (ending == "commit")
        assert (job.id == taken.id) is (ending == "commit")
        assert await shop.counts() == {"jobs": 1, "outbox": 1, "job_keys": 1}


async def test_a_key_that_was_taken_beside_a_rivals_is_given_back(migrated_url: str) -> None:
    async with jobmill.connect(migrated_url) as mill, open_shop(migrated_url, "postgresql+asyncpg") as shop:
        async with shop.session() as first, shop.session() as second:
            taken = await mill.submit(charge, Charge(7), within=first, unique="order-7")
            rival = asyncio.create_task(
                mill.submit(charge, Charge(7), within=second, unique="order-7", idempotency_key="k")
            )
            await _somebody_waits(migrated_url)
            await commits(first)
            job = await rival
            await commits(second)

        assert (job.id, job.replayed) == (taken.id, True)
        assert await shop.counts() == {"jobs": 1, "outbox": 1, "job_keys": 1}


async def _somebody_waits(url: str) -> None:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    question = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    async def one_waits() -> bool:
        async with AsyncSession(engine) as session:
            return bool((await session.execute(question)).scalar_one())

    assert await until(one_waits, within_s=10), "nobody waits"
    await engine.dispose()


async def _empty(request: pytest.FixtureRequest) -> str:
    databases: Databases = request.getfixturevalue("databases")
    return await databases.create()


async def _copy_of(url: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """A database with the very same content, so with the same identity."""
    if url.startswith("sqlite"):
        copy = folder / "copy.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), copy)
        return f"sqlite:///{copy}"
    databases: Databases = request.getfixturevalue("databases")
    return await databases.create(template=request.getfixturevalue("postgres_template"))
