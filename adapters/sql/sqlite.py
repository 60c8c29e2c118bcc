"""SQLite through aiosqlite: one connection that writes, some that read, and news of other processes."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from attrs import define
from sqlalchemy import Connection, NullPool, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolResetState

from jobmill.adapters.sql.address import Address
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.limits import Limits
from jobmill.adapters.sql.sqlite_dialect import Sqlite
from jobmill.adapters.sql.sqlite_hot import spelled
from jobmill.adapters.sql.sqlite_line import SqliteLine
from jobmill.application.errors import SetupFault, Unavailable
from jobmill.application.ports.clock import Clock

LOOK_EVERY_S: Final = 0.2
#: How long a handler may keep all others from writing: less than they wait for the connection, and so little
#: that leases are renewed in time.
HANDLER_WITHIN_S: Final = 3.0
#: The pause between two tries to switch a new file's journal to WAL.
RETRY_EVERY_S: Final = 0.02
_COUNT: Final = spelled(text("PRAGMA data_version"))
#: Marks connections whose statements stand by themselves.
_SINGLE: Final = "jobmill_single"


def open_sqlite(address: Address, limits: Limits, clock: Clock) -> Database:
    """Make the engines; nothing is connected yet.

    SQLite has one writer at a time. Ours wait for the one connection in the order of their coming, which is
    fairer than each trying the file's lock again and again. Readers do not wait for the writer.
    """
    writer = _engine(address, limits, connections=1)
    event.listen(writer.sync_engine, "begin", _begin_immediate)
    event.listen(writer.sync_engine, "invalidate", _undo)
    reader = _engine(address, limits, connections=max(1, limits.pool_size - 1))
    return Database(
        address=str(address),
        dialect=Sqlite(clock=clock),
        reads=reader,
        writes=writer.execution_options(**{_SINGLE: True}),
        chains=writer,
        line=SqliteLine(writer=writer, reader=reader, interrupt_after_s=limits.statement_timeout_s),
        lax=None,
        units=writer,
        handlers=writer,
        handlers_max=1,  # so that a renewal never stands behind two of them
        handler_within_s=HANDLER_WITHIN_S,
        last_words=[],
        pools={"writer": writer, "reader": reader},
        bounded=lambda connection: _interrupting(connection, after_s=limits.statement_timeout_s),
    )


def one_time_engine(address: Address, limits: Limits) -> AsyncEngine:
    """Make an engine that keeps no connection and may create the file, for a migration."""
    engine = create_async_engine(address.opened(create=True), poolclass=NullPool, hide_parameters=True)
    _prepare(engine, limits)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


@define(kw_only=True)
class ForeignCommits:
    """Notices what other processes commit.

    SQLite counts, for each connection, the commits of all others. Only the writer's own count leaves out
    what this process commits.
    """

    _database: Database
    _seen: int | None = None

    async def next(self) -> None:
        """Return when the count has changed since the last call, or since the first look.

        SQLite wakes nobody, so there is nothing to wait for but the next look.
        """
        while not await self.look():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> bool:
        """Say whether the count has changed since the last look."""
        try:
            [(count,)] = await self._database.hot(_COUNT, {})
        except (Unavailable, SetupFault):
            return False  # no database, no commit; whoever needs it hears of it by themselves
        changed = self._seen is not None and count != self._seen
        self._seen = count
        return changed


def _engine(address: Address, limits: Limits, *, connections: int) -> AsyncEngine:
    engine = create_async_engine(
        address.opened(create=False),
        connect_args={"isolation_level": None},  # the driver begins nothing by itself
        pool_size=connections,
        max_overflow=0,
        pool_timeout=limits.pool_wait_s,
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    _prepare(engine, limits)
    event.listen(engine.sync_engine, "reset", _roll_back)
    return engine


def _prepare(engine: AsyncEngine, limits: Limits) -> None:
    def set_pragmas(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        try:
            cursor.execute(f"PRAGMA busy_timeout = {round(limits.lock_timeout_s * 1000)}")
            _switch_to_wal(connection, within_s=limits.lock_timeout_s)
            cursor.execute("PRAGMA synchronous = FULL")  # in this mode alone a commit outlives power
        except sqlite3.Error:
            connection.close()  # nobody else does, and its thread would outlive us
            raise
        cursor.close()

    event.listen(engine.sync_engine, "connect", set_pragmas)


def _switch_to_wal(connection: DBAPIConnection, *, within_s: float) -> None:
    """Set the journal's mode, a property of the file, while others may do the same to a new one.

    The switch needs the file for itself, and of two that want it SQLite refuses one at once: waiting by
    ``busy_timeout`` could be a deadlock.
    """
    adapted: Any = connection
    tries_left = max(1, round(within_s / RETRY_EVERY_S))
    while True:
        cursor = connection.cursor()
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            tries_left -= 1
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not tries_left:
                raise
            adapted.run_async(lambda _driver: asyncio.sleep(RETRY_EVERY_S))
        else:
            return
        finally:
            cursor.close()


@asynccontextmanager
async def _interrupting(connection: AsyncConnection, *, after_s: float) -> AsyncGenerator[None]:
    """End what takes too long by SQLite's own means.

    To cancel the waiting task would not end the statement, which runs in a thread. And the connection, closed
    under a statement that nobody has finished, would keep the write lock while anything refers to that.
    """

    async def interrupt() -> None:
        while after_s:
            await asyncio.sleep(after_s)
            await driver.interrupt()

    driver: Any = (await connection.get_raw_connection()).driver_connection
    watch = asyncio.create_task(interrupt())
    try:
        yield
    finally:
        watch.cancel()


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first could not write any more in the end."""
    if not connection.get_execution_options().get(_SINGLE):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _roll_back(connection: DBAPIConnection, _record: object, state: PoolResetState) -> None:
    """Undo what is left open on a connection that comes back; its thread is not asked for nothing."""
    adapted: Any = connection
    if not state.terminate_only and adapted.driver_connection.in_transaction:
        adapted.rollback()


def _undo(connection: DBAPIConnection, *_: object) -> None:
    """Let go of the write lock before a connection is given up, as after a cancellation within a statement.

    Once it is closed under a statement that nobody has finished, nothing else would.
    """

    async def undo(driver: Any) -> None:  # noqa: ANN401
        await driver.interrupt()
        await driver.rollback()

    adapted: Any = connection
    try:
        adapted.run_async(undo)
    except (sqlite3.Error, ValueError):
        pass  # it is closed already
