"""Statements and short transactions on one database: errors translated, tried again where that is safe."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final, TypeVar

from attrs import field, frozen
from sqlalchemy import Executable, QueuePool, Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jobmill.adapters.sql.dialect import Chain, Dialect, Hot, Line, Params, Rows, Unsent, Values
from jobmill.adapters.sql.faults import DRIVER_ERRORS, Meaning, as_fault, meaning_of
from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.ports.store import PoolUse
from jobmill.domain.errors import JobmillError

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

#: How long closing waits for statements that are under way.
CLOSE_WITHIN_S: Final = 5.0
#: The pauses before a deadlock, a lock timeout, a busy file or a look that was cut off is tried again; then
#: the caller hears of it.
PAUSES_S: Final = (0.02, 0.04, 0.08)


class _TryAgain(Exception):
    """An attempt that was surely undone, and is likely to succeed the next time."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause
        super().__init__(str(cause))


@frozen(kw_only=True)
class Database:
    """The engines of one database, each for its kind of work.

    Every method raises as ``JobRepository`` says, and ``SetupFault`` where a person has to mend something.

    Args:
        address: where it is, without a secret.
        reads: single statements that change nothing.
        writes: single statements that stand by themselves.
        chains: what carries a ``Chain``, a transaction only where the dialect needs one.
        line: the short way for the hot path, if there is one.
        lax: the like for what may be lost with the power, so that nobody waits for the disk.
        units: transactions.
        handlers: the transactions of handlers.
        handlers_max: how many of them at a time.
        handler_within_s: how long each may take; None where it holds up nobody.
        last_words: said in a handler's transaction before its outcome, which locks its job's row.
        pools: the engines that have connections of their own, by what these are for.
        bounded: ends what takes too long on a connection, in the way that leaves nothing locked behind.
    """

    address: str
    dialect: Dialect
    reads: AsyncEngine
    writes: AsyncEngine
    chains: AsyncEngine
    line: Line | None
    lax: Line | None
    units: AsyncEngine
    handlers: AsyncEngine
    handlers_max: int
    handler_within_s: float | None
    last_words: Sequence[Executable]
    pools: Mapping[str, AsyncEngine]
    bounded: Callable[[AsyncConnection], AbstractAsyncContextManager[object]]
    _under_way: set[asyncio.Task[Any]] = field(factory=set, init=False, eq=False, repr=False)

    async def read(self, statement: Executable, params: Params | None = None) -> Sequence[Row[Any]]:
        """Return the rows. Never raises ``StorageUnknown``: without an answer nothing has changed."""

        async def work(connection: AsyncConnection) -> Sequence[Row[Any]]:
            return (await connection.execute(statement, params)).all()

        return await self.look(work)

    async def read_after_write(self, hot: Hot, params: Params) -> Rows:
        """Return what the answer to a write that was carried out still lacks; without it that is unknown."""
        try:
            return await self.hot(hot, params, changes=False)
        except StorageUnavailable as error:
            raise StorageUnknown(str(error), retry_after=error.retry_after) from error

    async def look(self, work: Work[T]) -> T:
        """Carry out work that only reads, on one connection; errors as in ``read``."""
        return await self._on(self.reads, work, changes=False)

    async def write(self, statement: Executable, params: Params | None = None) -> Sequence[Row[Any]]:
        """Carry out one statement and return what it returns."""

        async def work(connection: AsyncConnection) -> Sequence[Row[Any]]:
            result = await connection.execute(statement, params)
            return result.all() if result.returns_rows else ()

        return await self._on(self.writes, work, changes=True)

    async def hot(self, hot: Hot, params: Params, *, changes: bool = True, durably: bool = True) -> Rows:
        """Carry out one statement of the hot path; its rows may have places only, and no names.

        Args:
            durably: False for a change that does no harm if a crash of the database undoes it.
        """
        line = self.line if durably else self.lax or self.line
        if line is not None:
            return await self._tried(partial(self._by_line, line, hot, params, changes=changes))
        if changes:
            return await self.write(hot.statement, params)
        return await self.read(hot.statement, params)

    async def link(self, chain: Chain, head: Params, *followers: Sequence[Values]) -> Rows:
        """Carry out a chain by itself and return what its head returns, as ``hot`` does."""
        if (whole := chain.whole(head, *followers)) is not None:
            return await self.hot(*whole)

        async def work(connection: AsyncConnection) -> Rows:
            return await chain.run(connection, head, *followers)

        return await self._on(self.chains, work, changes=True)

    async def unit(self, work: Work[T]) -> T:
        """Carry out work in one transaction; it may be called again from its beginning."""
        return await self._on(self.units, work, changes=True)

    def use(self) -> Mapping[str, PoolUse]:
        """Return how far the pools are used."""
        pools = {name: engine.sync_engine.pool for name, engine in self.pools.items()}
        return {
            name: PoolUse(size=pool.size(), in_use=pool.checkedout())
            for name, pool in pools.items()
            if isinstance(pool, QueuePool)
        }

    async def close(self) -> None:
        """Close all connections, after what is under way has ended or had its time."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=CLOSE_WITHIN_S)
            for task in late:
                task.cancel()
        await self.reads.dispose()
        for line in (self.line, self.lax):
            if line is not None:
                await line.close()
        await self.units.dispose()
        await self.handlers.dispose()

    async def _on(self, engine: AsyncEngine, work: Work[T], *, changes: bool) -> T:
        return await self._tried(partial(self._attempt, engine, work, changes=changes))

    async def _tried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Do it in a task of our own, which a caller that is cancelled leaves to end by itself.

        A statement that is cancelled half way costs its connection on PostgreSQL, and keeps the write lock
        on SQLite.
        """
        task = asyncio.create_task(self._tried_here(attempt))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _tried_here(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for pause_s in PAUSES_S:
            try:
                return await attempt()
            except _TryAgain:
                await asyncio.sleep(pause_s)
        try:
            return await attempt()
        except _TryAgain as given_up:
            raise self._fault(given_up.cause, Meaning.AGAIN) from given_up.cause

    async def _attempt(self, engine: AsyncEngine, work: Work[T], *, changes: bool) -> T:
        sent = False
        try:
            async with engine.begin() as connection:
                sent = True
                return await self._within_bounds(connection, work)
        except DRIVER_ERRORS as error:
            raise self._judged(error, sent=sent, changes=changes) from error

    async def _by_line(self, line: Line, hot: Hot, params: Params, *, changes: bool) -> Rows:
        try:
            return await line.fetch(hot, params)
        except Unsent as error:
            raise self._judged(error.cause, sent=False, changes=changes) from error.cause
        except DRIVER_ERRORS as error:
            raise self._judged(error, sent=True, changes=changes) from error

    def _judged(self, error: BaseException, *, sent: bool, changes: bool) -> Exception:
        """Say what to raise. Without a connection nothing is sent; without changes nothing is unknown.

        A look whose connection ended is taken again on another one: a pool holds connections whose end nobody
        has read yet. One that met silence has waited its time.
        """
        meaning = meaning_of(error)
        is_lost_look = meaning is Meaning.CUT_OFF and not changes and not isinstance(error, TimeoutError)
        if sent and (meaning is Meaning.AGAIN or is_lost_look):
            return _TryAgain(error)
        if meaning is Meaning.CUT_OFF and not (sent and changes):
            meaning = Meaning.UNAVAILABLE
        return self._fault(error, meaning)

    async def _within_bounds(self, connection: AsyncConnection, work: Work[T]) -> T:
        """Wait within bounds, and do not use again a connection that was cut off or may be read-only."""
        try:
            async with self.bounded(connection):
                return await work(connection)
        except DRIVER_ERRORS as error:
            if meaning_of(error) is Meaning.CUT_OFF:
                await connection.invalidate()
            raise

    def _fault(self, error: BaseException, meaning: Meaning) -> JobmillError:
        return as_fault(error, meaning, address=self.address)
