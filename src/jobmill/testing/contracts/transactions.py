"""``Transactions``: what a handler writes and the outcome of its job, both or neither."""

import asyncio
from typing import Any, Protocol

import pytest

from jobmill.application.ports.job_repository import Saved, Stale
from jobmill.application.ports.leases import Renewed
from jobmill.application.ports.store import Store
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.testing.builders import HOUR, failed, handed_back, started, succeeded
from jobmill.testing.contracts.store_world import StoreWorld


class Handwriting(Protocol):
    """How to write something of a handler's own into the store under test, and to see whether it stands.

    A fixture ``handwriting`` gives one.
    """

    async def write(self, connection: Any, name: str) -> None:  # noqa: ANN401 - the store's own
        """Write ``name`` by the connection of a transaction."""
        ...

    async def stands(self, name: str) -> bool:
        """Whether others see what was written."""
        ...


async def test_the_writes_and_the_outcome_are_committed_together(
    world: StoreWorld, handwriting: Handwriting
) -> None:
    job = await world.running(worker="w")
    outcome = succeeded(job, now=world.now)

    async with world.store.transactions.begin() as transaction:
        await handwriting.write(transaction.connection, "paid")
        assert not await handwriting.stands("paid")
        assert await world.seen(job) == job
        answer = await transaction.commit(outcome)

    assert await handwriting.stands("paid")
    row = await world.seen(job)
    assert (row.state, row.fence) == (JobState.SUCCEEDED, outcome.job.fence)
    assert answer == Saved(job=row)
    assert await world.store.transactions.settled(outcome) == answer


async def test_without_a_commit_nothing_stands(world: StoreWorld, handwriting: Handwriting) -> None:
    job = await world.running()

    async with world.store.transactions.begin() as transaction:
        await handwriting.write(transaction.connection, "paid")

    assert not await handwriting.stands("paid")
    assert await world.seen(job) == job
    assert await world.store.transactions.settled(succeeded(job, now=world.now)) == Stale(job_id=job.id)


async def test_an_exception_rolls_back_and_goes_on_its_way(
    world: StoreWorld, handwriting: Handwriting
) -> None:
    async def handle() -> None:
        async with world.store.transactions.begin() as transaction:
            await handwriting.write(transaction.connection, "paid")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await handle()

    assert not await handwriting.stands("paid")


async def test_a_cancellation_rolls_back(world: StoreWorld, handwriting: Handwriting) -> None:
    wrote = asyncio.Event()

    async def handle() -> None:
        async with world.store.transactions.begin() as transaction:
            await handwriting.write(transaction.connection, "paid")
            wrote.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(handle())
    await wrote.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not await handwriting.stands("paid")
    await world.running()


@pytest.mark.parametrize("taken", ["retried", "handed back", "claimed again"])
async def test_a_stale_worker_writes_nothing(
    store: Store, world: StoreWorld, taken: str, handwriting: Handwriting
) -> None:
    job = await world.running(worker="stale")
    moved = await _taken(world, job, taken)

    async with store.transactions.begin() as transaction:
        await handwriting.write(transaction.connection, "paid")
        answer = await transaction.commit(succeeded(job, now=world.now))

    assert answer == Stale(job_id=job.id)
    assert not await handwriting.stands("paid")
    assert await world.seen(job) == moved
    assert await store.transactions.settled(succeeded(job, now=world.now)) == Stale(job_id=job.id)


async def test_many_at_once_take_turns(world: StoreWorld, handwriting: Handwriting) -> None:
    jobs = [await world.running() for _ in range(12)]

    async def handle(job: Job) -> None:
        async with world.store.transactions.begin() as transaction:
            await handwriting.write(transaction.connection, str(job.id))
            assert isinstance(await transaction.commit(succeeded(job, now=world.now)), Saved)

    async with asyncio.timeout(20):
        await asyncio.gather(*(handle(job) for job in jobs))

    assert all([await handwriting.stands(str(job.id)) for job in jobs])


async def test_others_may_renew_and_settle_when_it_is_over(
    world: StoreWorld, handwriting: Handwriting
) -> None:
    job, other = await world.running(), await world.running()

    async with world.store.transactions.begin() as transaction:
        await handwriting.write(transaction.connection, "paid")
        renewing = asyncio.create_task(world.store.leases.renew([job.fence, other.fence], ttl=HOUR))
        await asyncio.sleep(0)

    assert await renewing == [Renewed(stop_asked=False), Renewed(stop_asked=False)]
    await world.saved(succeeded(other, now=world.now))


async def _taken(world: StoreWorld, job: Job, how: str) -> Job:
    if how == "retried":
        return await world.saved(failed(job, now=world.now))
    waiting = await world.saved(handed_back(job, now=world.now))
    return waiting if how == "handed back" else await world.saved(started(waiting, worker="b", now=world.now))
