"""``Transactions``: what a handler writes and the outcome of its job, both or neither."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, text

from jobmill.adapters.memory import MemoryStore
from jobmill.adapters.sql.schema import leadership
from jobmill.application.errors import TransactionFault
from jobmill.application.ports.job_repository import Saved, Stale
from jobmill.application.ports.leases import Renewed
from jobmill.application.ports.store import Store
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import HOUR, failed, handed_back, started, succeeded
from tests.contract.store_world import StoreWorld

#: In memory the connection has nothing but ``execute``.
ON_SQL = pytest.mark.parametrize(
    "store_opener", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


async def write(store: Store, connection: Any, name: str) -> None:  # noqa: ANN401
    """Write something of the handler's own. In SQL any table will do, and this one the store can show."""
    if isinstance(store, MemoryStore):
        await connection.execute("write", name)
    else:
        row = {"role": name, "holder": "the handler", "held_until": store.clock.now()}
        await connection.execute(insert(leadership), row)


async def stands(store: Store, name: str) -> bool:
    """Whether it is there for others."""
    if isinstance(store, MemoryStore):
        return name in [effect.parameters for effect in store.tables.effects]
    return await store.leadership.holder(name) == "the handler"


async def test_the_writes_and_the_outcome_are_committed_together(world: StoreWorld) -> None:
    job = await world.running(worker="w")
    outcome = succeeded(job, now=world.now)

    async with world.store.transactions.begin() as transaction:
        await write(world.store, transaction.connection, "paid")
        assert not await stands(world.store, "paid")
        assert await world.seen(job) == job
        answer = await transaction.commit(outcome)

    assert await stands(world.store, "paid")
    row = await world.seen(job)
    assert (row.state, row.fence) == (JobState.SUCCEEDED, outcome.job.fence)
    assert answer == Saved(job=row)
    assert await world.store.transactions.settled(outcome) == answer


async def test_without_a_commit_nothing_stands(world: StoreWorld) -> None:
    job = await world.running()

    async with world.store.transactions.begin() as transaction:
        await write(world.store, transaction.connection, "paid")

    assert not await stands(world.store, "paid")
    assert await world.seen(job) == job
    assert await world.store.transactions.settled(succeeded(job, now=world.now)) == Stale(job_id=job.id)


async def test_an_exception_rolls_back_and_goes_on_its_way(world: StoreWorld) -> None:
    async def handle() -> None:
        async with world.store.transactions.begin() as transaction:
            await write(world.store, transaction.connection, "paid")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await handle()

    assert not await stands(world.store, "paid")


async def test_a_cancellation_rolls_back(world: StoreWorld) -> None:
    wrote = asyncio.Event()

    async def handle() -> None:
        async with world.store.transactions.begin() as transaction:
            await write(world.store, transaction.connection, "paid")
            wrote.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(handle())
    await wrote.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not await stands(world.store, "paid")
    await world.running()


@pytest.mark.parametrize("taken", ["retried", "handed back", "claimed again"])
async def test_a_stale_worker_writes_nothing(store: Store, world: StoreWorld, taken: str) -> None:
    job = await world.running(worker="stale")
    moved = await _taken(world, job, taken)

    async with store.transactions.begin() as transaction:
        await write(store, transaction.connection, "paid")
        answer = await transaction.commit(succeeded(job, now=world.now))

    assert answer == Stale(job_id=job.id)
    assert not await stands(store, "paid")
    assert await world.seen(job) == moved
    assert await store.transactions.settled(succeeded(job, now=world.now)) == Stale(job_id=job.id)


async def test_many_at_once_take_turns(world: StoreWorld) -> None:
    jobs = [await world.running() for _ in range(12)]

    async def handle(job: Job) -> None:
        async with world.store.transactions.begin() as transaction:
            await write(world.store, transaction.connection, str(job.id))
            assert isinstance(await transaction.commit(succeeded(job, now=world.now)), Saved)

    async with asyncio.timeout(20):
        await asyncio.gather(*(handle(job) for job in jobs))

    assert all([await stands(world.store, str(job.id)) for job in jobs])


async def test_others_may_renew_and_settle_when_it_is_over(world: StoreWorld) -> None:
    job, other = await world.running(), await world.running()

    async with world.store.transactions.begin() as transaction:
        await write(world.store, transaction.connection, "paid")
        renewing = asyncio.create_task(world.store.leases.renew([job.fence, other.fence], ttl=HOUR))
        await asyncio.sleep(0)

    assert await renewing == [Renewed(stop_asked=False), Renewed(stop_asked=False)]
    await world.saved(succeeded(other, now=world.now))


@ON_SQL
@pytest.mark.parametrize("verb", ["commit", "rollback", "close"])
async def test_a_handler_does_not_end_it_by_itself(store: Store, world: StoreWorld, verb: str) -> None:
    async def handle() -> None:
        async with store.transactions.begin() as transaction:
            await write(store, transaction.connection, "paid")
            await getattr(transaction.connection, verb)()

    with pytest.raises(TransactionFault, match="ends with its block"):
        await handle()

    assert not await stands(store, "paid")


@ON_SQL
async def test_one_that_was_ended_underneath_is_not_committed(store: Store, world: StoreWorld) -> None:
    job = await world.running()

    async with store.transactions.begin() as transaction:
        await transaction.connection.run_sync(lambda connection: connection.rollback())
        with pytest.raises(TransactionFault, match="itself"):
            await transaction.commit(succeeded(job, now=world.now))

    assert await world.seen(job) == job


@ON_SQL
async def test_a_savepoint_lets_a_statement_fail(store: Store, world: StoreWorld) -> None:
    job = await world.running()

    async with store.transactions.begin() as transaction:
        await write(store, transaction.connection, "paid")
        with pytest.raises(Exception, match="nowhere"):
            async with transaction.connection.begin_nested():
                await transaction.connection.execute(text("INSERT INTO nowhere VALUES (1)"))
        assert isinstance(await transaction.commit(succeeded(job, now=world.now)), Saved)

    assert await stands(store, "paid")


async def _taken(world: StoreWorld, job: Job, how: str) -> Job:
    if how == "retried":
        return await world.saved(failed(job, now=world.now))
    waiting = await world.saved(handed_back(job, now=world.now))
    return waiting if how == "handed back" else await world.saved(started(waiting, worker="b", now=world.now))
