"""Transactions in memory: what a handler writes is a list of effects, which come true with the outcome."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

from attrs import field, frozen

from jobmill.adapters.memory.jobs import saved
from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Effect, Tables
from jobmill.application.errors import StorageUnknown
from jobmill.application.ports.job_repository import SaveAnswer, Saved, Stale, Unknown
from jobmill.application.ports.transactions import OpenTransaction, Transactions
from jobmill.domain.transition import Transition


@frozen(kw_only=True)
class MemoryConnection:
    """Takes any statement, and keeps it until the commit."""

    database: Database
    written: list[Effect] = field(factory=list)

    async def execute(self, statement: object, parameters: object = None) -> None:
        """Write something."""
        await self.database.run(
            "transactions.execute",
            lambda _tables, _now: self.written.append(Effect(statement=statement, parameters=parameters)),
        )


@frozen(kw_only=True)
class MemoryTransaction(OpenTransaction):
    """One transaction."""

    connection: MemoryConnection

    async def commit(self, outcome: Transition) -> SaveAnswer:
        """Save and let the effects come true, at one moment."""

        def statement(tables: Tables, now: datetime) -> SaveAnswer:
            answer = saved(tables, outcome, now=now)
            if isinstance(answer, Saved):
                tables.effects += self.connection.written
            return answer

        try:
            return await self.connection.database.run("transactions.commit", statement)
        except StorageUnknown:
            return Unknown(job_id=outcome.job.id)


@frozen(kw_only=True)
class MemoryTransactions(Transactions):
    """The transactions of one in-memory database."""

    database: Database

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[MemoryTransaction]:
        """Begin with nothing written."""

        def statement(_tables: Tables, _now: datetime) -> MemoryTransaction:
            return MemoryTransaction(connection=MemoryConnection(database=self.database))

        yield await self.database.run("transactions.begin", statement)

    async def settled(self, outcome: Transition) -> SaveAnswer:
        """Look at the row: here a commit is over when it has been answered."""

        def statement(tables: Tables, _now: datetime) -> SaveAnswer:
            job = tables.standing(outcome.job.fence)
            return Stale(job_id=outcome.job.id) if job is None else Saved(job=job)

        return await self.database.run("transactions.settled", statement)
