"""Callers that go away and statements that take too long: neither keeps a connection or a lock."""

import asyncio
from random import Random

import pytest
from sqlalchemy import text

from jobmill.adapters.sql import SqlStore, open_sql_store
from jobmill.application.errors import StorageUnavailable
from jobmill.application.ports.job_repository import Saved

from tests.builders import started
from tests.contract.store_world import StoreWorld
from tests.integration.sql.backends import Backends
from tests.servers.waiting import until

dice = Random(7)


async def test_a_cancelled_caller_takes_no_connection_with_it(world: StoreWorld) -> None:
    """Nor a lock. What it had sent is carried out to the end, so later looks find it done."""
    for job in [await world.queued() for _ in range(60)]:
        save = asyncio.create_task(world.save(started(job, now=world.now)))
        for _ in range(dice.randrange(30)):
            await asyncio.sleep(0)
        save.cancel()
        await asyncio.wait([save])
        assert save.cancelled() or isinstance(save.result(), Saved)

    # As many at once as there are connections, and one more writer than SQLite has.
    await asyncio.gather(*(world.store.check() for _ in range(10)))
    await asyncio.gather(world.queued(), world.queued())


async def test_what_a_cancelled_caller_had_sent_is_carried_out(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    job = await postgres_world.queued()
    claim = started(job, now=postgres_world.now)
    async with backends.holding(job.id):
        save = asyncio.create_task(postgres_world.save(claim))
        await backends.wait()
        save.cancel()
        await asyncio.wait([save])

    async def is_claimed() -> bool:
        return (await postgres_world.seen(job)).fence == claim.job.fence

    assert save.cancelled()
    assert await until(is_claimed, within_s=20)
    # Only a running job can be asked.
    assert await postgres_world.store.leases.ask_to_stop([job.id]) == [True]


async def test_a_closing_store_waits_for_what_is_under_way(
    postgres: SqlStore, postgres_world: StoreWorld, backends: Backends
) -> None:
    job = await postgres_world.queued()
    async with backends.holding(job.id):
        save = asyncio.create_task(postgres_world.save(started(job, now=postgres_world.now)))
        await backends.wait()
        closing = asyncio.create_task(postgres._database.close())
        await asyncio.wait([closing], timeout=0.2)
        assert not closing.done()

    await closing
    assert isinstance(await save, Saved)


async def test_a_sqlite_statement_that_takes_too_long_is_ended(sqlite_url: str) -> None:
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"  # all of them
    async with open_sql_store(sqlite_url, statement_timeout_s=0.1) as store:
        with pytest.raises(StorageUnavailable, match="interrupted"):
            await store._database.read(text(f"{numbers} SELECT count(*) FROM n"))
        with pytest.raises(StorageUnavailable, match="interrupted"):
            await store._database.write(text(f"INSERT INTO leadership {numbers} SELECT x, x, x FROM n"))

        world = StoreWorld(store=store)
        assert await world.seen(await world.queued()) is not None
