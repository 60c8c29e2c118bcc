"""Handlers' transactions in SQL: on connections of their own, with the outcome as the last statement."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from attrs import define, frozen
from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.faults import DRIVER_ERRORS, Meaning, as_fault, meaning_of
from jobmill.adapters.sql.fences import fence_in
from jobmill.adapters.sql.mapping import READ, as_the_row_says, job_from
from jobmill.adapters.sql.saving import Saving
from jobmill.adapters.sql.schema import jobs
from jobmill.application.errors import StorageUnavailable, TransactionFault
from jobmill.application.ports.job_repository import SaveAnswer, Saved, Stale, Unknown
from jobmill.application.ports.transactions import OpenTransaction, Transactions
from jobmill.domain.transition import Transition

_ENDS_BY_ITSELF: Final = (
    "the transaction ends with its block; leave the block, or raise out of it to undo all"
)


class HandlerConnection(AsyncConnection):
    """The connection as a handler gets it: whatever would end the transaction is left to its block."""

    async def commit(self) -> None:
        """Refuse."""
        raise TransactionFault(_ENDS_BY_ITSELF)

    async def rollback(self) -> None:
        """Refuse."""
        raise TransactionFault(_ENDS_BY_ITSELF)

    async def close(self) -> None:
        """Refuse."""
        raise TransactionFault(_ENDS_BY_ITSELF)


@define(kw_only=True, eq=False)
class SqlTransaction(OpenTransaction):
    """One transaction."""

    connection: HandlerConnection
    _raw: AsyncConnection
    _block: AsyncTransaction
    _limit: asyncio.Timeout
    _database: Database
    _saving: Saving

    async def commit(self, outcome: Transition) -> SaveAnswer:
        """See ``OpenTransaction``."""
        self._limit.reschedule(None)
        if not self._block.is_active:
            raise TransactionFault(f"the handler ended its transaction itself; {_ENDS_BY_ITSELF}")
        try:
            async with self._database.bounded(self._raw):
                for word in self._database.last_words:
                    await self._raw.execute(word)
                saved = await self._saving.chain.run(self._raw, *self._saving.bound([outcome]))
        except DRIVER_ERRORS as error:
            await self._raw.invalidate()  # whatever became of it, it is surely not committed
            raise _undone(error, self._database.address) from error
        if not saved:
            return Stale(job_id=outcome.job.id)
        try:
            async with self._database.bounded(self._raw):
                await self._block.commit()
        except DRIVER_ERRORS as error:
            if meaning_of(error) is not Meaning.CUT_OFF:
                raise  # the handler's own fault, such as a constraint that is checked at the end
            await self._raw.invalidate()
            return Unknown(job_id=outcome.job.id)
        [row] = saved
        loose: Sequence[Any] = row[2:]
        return Saved(job=as_the_row_says(outcome.job, *loose))


@frozen(kw_only=True)
class SqlTransactions(Transactions):
    """The handlers' transactions on one database."""

    _database: Database
    _saving: Saving
    _slots: asyncio.Semaphore

    @classmethod
    def on(cls, database: Database) -> "SqlTransactions":
        """Build the statements."""
        slots = asyncio.Semaphore(database.handlers_max)
        return cls(database=database, saving=Saving.on(database.dialect), slots=slots)

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[SqlTransaction]:
        """See ``Transactions``."""
        async with self._slots:
            raw = await self._connect()
            limit = asyncio.timeout(self._database.handler_within_s)
            try:
                block = await self._begun(raw)
                async with limit:
                    yield SqlTransaction(
                        connection=HandlerConnection(raw.engine, raw.sync_connection),
                        raw=raw,
                        block=block,
                        limit=limit,
                        database=self._database,
                        saving=self._saving,
                    )
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise TransactionFault(
                    f"nobody else can write to {self._database.address} meanwhile; so a handler's block "
                    f"may last {self._database.handler_within_s:g} s; do what takes longer before it"
                ) from error
            finally:
                await _to_the_end(self._give_back(raw))

    async def settled(self, outcome: Transition) -> SaveAnswer:
        """See ``Transactions``. Whoever has touched the row keeps it locked until it is known what became."""

        async def work(connection: AsyncConnection) -> SaveAnswer:
            row = (await connection.execute(_LOCKING, {"job_id": outcome.job.id})).first()
            if row is None or fence_in(row) != outcome.job.fence:
                return Stale(job_id=outcome.job.id)
            return Saved(job=job_from(row))

        return await self._database.unit(work)

    async def _connect(self) -> AsyncConnection:
        try:
            return await self._database.handlers.connect()
        except DRIVER_ERRORS as error:
            raise _undone(error, self._database.address) from error

    async def _begun(self, raw: AsyncConnection) -> AsyncTransaction:
        try:
            return await raw.begin()
        except DRIVER_ERRORS as error:
            raise _undone(error, self._database.address) from error

    async def _give_back(self, raw: AsyncConnection) -> None:
        """Roll back what is not committed."""
        if raw.invalidated:  # it was cancelled within a statement, or cut off
            await raw.close()
            return
        try:
            async with self._database.bounded(raw):
                await raw.close()
        except DRIVER_ERRORS:
            await raw.invalidate()


def _locking() -> Select[Any]:
    return select(*READ).where(jobs.c.id == bindparam("job_id")).with_for_update()


_LOCKING: Final = _locking()


async def _to_the_end(work: Any) -> None:  # noqa: ANN401 - a coroutine of any kind
    """Await it in a task of its own, which a cancellation does not reach."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _undone(error: BaseException, address: str) -> Exception:
    """Make the port's own error of one before which surely nothing was committed."""
    meaning = meaning_of(error)
    if getattr(getattr(error, "orig", None), "sqlstate", None) == _ABORTED:
        return TransactionFault(
            "a statement in the transaction failed and the handler went on, so the database undid all of it; "
            "let the error leave the block, or put the statement into a savepoint (begin_nested)"
        )
    if meaning is Meaning.SETUP:
        return as_fault(error, meaning, address=address)
    return StorageUnavailable(str(as_fault(error, Meaning.UNAVAILABLE, address=address)))


#: A statement in a transaction one of whose statements has failed.
_ABORTED: Final = "25P02"
