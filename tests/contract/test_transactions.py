"""The contract of ``jobmill.testing.contracts.transactions``, and what SQL adds to it."""

from typing import Any

import pytest
from attrs import frozen
from sqlalchemy import insert, text

from jobmill.adapters.memory import MemoryStore
from jobmill.adapters.sql.schema import leadership
from jobmill.application.errors import TransactionFault
from jobmill.application.ports.job_repository import Saved
from jobmill.application.ports.store import Store
from jobmill.testing.builders import succeeded
from jobmill.testing.contracts.store_world import StoreWorld
from jobmill.testing.contracts.transactions import *
from jobmill.testing.contracts.transactions import Handwriting

#: In memory the connection has nothing but ``execute``.
ON_SQL = pytest.mark.parametrize(
    "store_opener", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@frozen
class OurHandwriting(Handwriting):
    store: Store

    async def write(self, connection: Any, name: str) -> None:  # noqa: ANN401
        """In SQL any table will do, and this one the store can show."""
        if isinstance(self.store, MemoryStore):
            await connection.execute("write", name)
        else:
            row = {"role": name, "holder": "the handler", "held_until": self.store.clock.now()}
            await connection.execute(insert(leadership), row)

    async def stands(self, name: str) -> bool:
        if isinstance(self.store, MemoryStore):
            return name in [effect.parameters for effect in self.store.tables.effects]
        return await self.store.leadership.holder(name) == "the handler"


@pytest.fixture
def handwriting(store: Store) -> Handwriting:
    return OurHandwriting(store)


@ON_SQL
@pytest.mark.parametrize("verb", ["commit", "rollback", "close"])
async def test_a_handler_does_not_end_it_by_itself(
    store: Store, world: StoreWorld, verb: str, handwriting: Handwriting
) -> None:
    async def handle() -> None:
        async with store.transactions.begin() as transaction:
            await handwriting.write(transaction.connection, "paid")
            await getattr(transaction.connection, verb)()

    with pytest.raises(TransactionFault, match="ends with its block"):
        await handle()

    assert not await handwriting.stands("paid")


@ON_SQL
async def test_one_that_was_ended_underneath_is_not_committed(store: Store, world: StoreWorld) -> None:
    job = await world.running()

    async with store.transactions.begin() as transaction:
        await transaction.connection.run_sync(lambda connection: connection.rollback())
        with pytest.raises(TransactionFault, match="itself"):
            await transaction.commit(succeeded(job, now=world.now))

    assert await world.seen(job) == job


@ON_SQL
async def test_a_savepoint_lets_a_statement_fail(
    store: Store, world: StoreWorld, handwriting: Handwriting
) -> None:
    job = await world.running()

    async with store.transactions.begin() as transaction:
        await handwriting.write(transaction.connection, "paid")
        with pytest.raises(Exception, match="nowhere"):
            async with transaction.connection.begin_nested():
                await transaction.connection.execute(text("INSERT INTO nowhere VALUES (1)"))
        assert isinstance(await transaction.commit(succeeded(job, now=world.now)), Saved)

    assert await handwriting.stands("paid")
