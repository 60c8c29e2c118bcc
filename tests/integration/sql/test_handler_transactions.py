"""Handlers' transactions where the databases differ: cut off at the commit, held up, ended."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from attrs import define
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from jobmill.adapters.sql import open_sql_store, sqlite
from jobmill.application.errors import StorageUnavailable, TransactionFault
from jobmill.application.ports.job_repository import Saved, Stale, Unknown
from jobmill.application.ports.leases import Renewed
from jobmill.domain.states import JobState

from tests.builders import HOUR, a_stamp, succeeded
from tests.contract.store_world import StoreWorld
from tests.integration.sql.backends import Backends

ALL_NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
WRITE = text("INSERT INTO leadership SELECT 'mine', 'mine', CURRENT_TIMESTAMP")
WRITE_SQLITE = text("INSERT INTO leadership VALUES ('mine', 'mine', 0)")


@define
class Cut:
    """The end of a transaction, with something happening around it."""

    block: Any
    before: Callable[[], Awaitable[object]] | None = None
    loses_answer: bool = False
    is_active: bool = True

    async def commit(self) -> None:
        if self.before is not None:
            await self.before()
        await self.block.commit()
        if self.loses_answer:
            raise ConnectionResetError("the answer to the commit is lost")


async def test_while_a_handler_writes_all_leases_are_renewed(postgres_world: StoreWorld) -> None:
    store, job, other = postgres_world.store, await postgres_world.running(), await postgres_world.running()

    async with store.transactions.begin() as transaction:
        await transaction.connection.execute(WRITE)

        answers = await store.leases.renew([job.fence, other.fence], ttl=HOUR)

    assert answers == [Renewed(stop_asked=False), Renewed(stop_asked=False)]


async def test_a_commit_that_is_cut_off_before_it_arrives_is_rolled_back(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    store, job = postgres_world.store, await postgres_world.running()
    outcome = succeeded(job, now=postgres_world.now)

    async with store.transactions.begin() as transaction:
        await transaction.connection.execute(WRITE)
        transaction._block = Cut(transaction._block, before=backends.end_all)  # type: ignore[attr-defined]
        assert await transaction.commit(outcome) == Unknown(job_id=job.id)

    assert await store.transactions.settled(outcome) == Stale(job_id=job.id)
    assert await store.leadership.holder("mine") is None
    assert await postgres_world.seen(job) == job


async def test_a_commit_whose_answer_is_lost_stands(postgres_world: StoreWorld) -> None:
    store, job = postgres_world.store, await postgres_world.running()
    outcome = succeeded(job, now=postgres_world.now)

    async with store.transactions.begin() as transaction:
        await transaction.connection.execute(WRITE)
        transaction._block = Cut(transaction._block, loses_answer=True)  # type: ignore[attr-defined]
        assert await transaction.commit(outcome) == Unknown(job_id=job.id)

    assert isinstance(await store.transactions.settled(outcome), Saved)
    assert await store.leadership.holder("mine") == "mine"


async def test_nothing_is_said_of_a_commit_while_somebody_may_still_carry_it_out(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    store, job = postgres_world.store, await postgres_world.running()
    outcome = succeeded(job, now=postgres_world.now)

    transaction = backends.connection.transaction()
    await transaction.start()
    await backends.connection.execute(
        "UPDATE jobs SET version = $2, stamp = $3, state = 'succeeded' WHERE id = $1",
        job.id, outcome.job.version, outcome.job.stamp,
    )  # fmt: skip
    asking = asyncio.create_task(store.transactions.settled(outcome))
    await backends.wait()
    assert not asking.done()
    await transaction.commit()

    answer = await asking
    assert isinstance(answer, Saved)
    assert answer.job.state is JobState.SUCCEEDED


async def test_a_connection_that_ends_before_the_outcome_is_a_rollback(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    store, job = postgres_world.store, await postgres_world.running()

    async with store.transactions.begin() as transaction:
        await transaction.connection.execute(WRITE)
        await backends.end_all()
        with pytest.raises(StorageUnavailable):
            await transaction.commit(succeeded(job, now=postgres_world.now))

    assert await store.leadership.holder("mine") is None
    assert await postgres_world.seen(job) == job


async def test_a_handler_that_goes_on_after_a_failed_statement_is_told_what_to_do(
    postgres_world: StoreWorld,
) -> None:
    job = await postgres_world.running()

    async with postgres_world.store.transactions.begin() as transaction:
        with pytest.raises(Exception, match="nowhere"):
            await transaction.connection.execute(text("INSERT INTO nowhere VALUES (1)"))
        with pytest.raises(TransactionFault, match="savepoint"):
            await transaction.commit(succeeded(job, now=postgres_world.now))

    assert await postgres_world.seen(job) == job


async def test_a_constraint_that_is_checked_at_the_commit_undoes_the_outcome_too(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    await backends.connection.execute(
        "CREATE TABLE paid (number integer UNIQUE DEFERRABLE INITIALLY DEFERRED)"
    )
    job = await postgres_world.running()

    async with postgres_world.store.transactions.begin() as transaction:
        await transaction.connection.execute(text("INSERT INTO paid VALUES (1), (1)"))
        with pytest.raises(IntegrityError):
            await transaction.commit(succeeded(job, now=postgres_world.now))

    assert await postgres_world.seen(job) == job


async def test_it_reads_what_is_committed_whatever_the_database_prefers(
    migrated_url: str, backends: Backends
) -> None:
    name = await backends.connection.fetchval("SELECT quote_ident(current_database())")
    await backends.connection.execute(
        f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
    )

    async with open_sql_store(migrated_url) as store, store.transactions.begin() as transaction:
        isolation = await transaction.connection.scalar(text("SHOW transaction_isolation"))

    assert isolation == "read committed"


async def test_handlers_leave_the_pool_to_the_others(migrated_url: str) -> None:
    async with open_sql_store(migrated_url, pool_size=2, pool_wait_s=0.5) as store:
        begun = [store.transactions.begin() for _ in range(5)]
        for each in begun:
            await each.__aenter__()
        await asyncio.gather(*(store.check() for _ in range(6)))
        for each in begun:
            await each.__aexit__(None, None, None)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short limit of what a handler may take on SQLite."""
    monkeypatch.setattr(sqlite, "HANDLER_WITHIN_S", 0.2)


@pytest.mark.usefixtures("impatient")
async def test_on_sqlite_a_handler_cannot_hold_up_all_others_for_long(sqlite_url: str) -> None:
    async with open_sql_store(sqlite_url) as store:
        world = StoreWorld(store=store)
        job = await world.running()

        async def dawdle() -> None:
            async with store.transactions.begin() as transaction:
                await transaction.connection.execute(WRITE_SQLITE)
                await asyncio.Event().wait()

        handling = asyncio.create_task(dawdle())
        renewing = asyncio.create_task(store.leases.renew([job.fence], ttl=HOUR))

        with pytest.raises(TransactionFault, match=r"may last 0\.2 s"):
            await handling
        assert await renewing == [Renewed(stop_asked=False)]
        assert await store.leadership.holder("mine") is None


async def test_on_sqlite_less_time_is_allowed_than_others_wait() -> None:
    """And a renewal that waited so long is still in time for its lease."""
    assert sqlite.HANDLER_WITHIN_S < 5.0


async def test_on_sqlite_a_handler_cancelled_within_a_statement_leaves_no_lock(sqlite_url: str) -> None:
    async with open_sql_store(sqlite_url, statement_timeout_s=1.0) as store:
        world = StoreWorld(store=store)
        entered = asyncio.Event()

        async def work() -> None:
            async with store.transactions.begin() as transaction:
                await transaction.connection.execute(WRITE_SQLITE)
                entered.set()
                limited = f"{ALL_NUMBERS} SELECT count(*) FROM (SELECT x FROM n LIMIT 3000000)"
                await transaction.connection.execute(text(limited))

        handling = asyncio.create_task(work())
        await entered.wait()
        await asyncio.sleep(0.05)
        handling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handling

        async with asyncio.timeout(20):
            assert await world.seen(await world.queued(stamp=a_stamp())) is not None
        assert await store.leadership.holder("mine") is None
