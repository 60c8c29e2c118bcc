"""The short way to SQLite: a connection of the pool, and one visit to its thread for a whole statement."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from jobmill.adapters.sql.dialect import Hot, Line, Params, Rows, Unsent
from jobmill.adapters.sql.faults import DRIVER_ERRORS, Meaning, meaning_of
from jobmill.adapters.sql.sqlite_hot import Visit


@frozen(kw_only=True)
class SqliteLine(Line):
    """Statements by themselves, on the one connection that writes or on one of those that read.

    By way of SQLAlchemy a statement visits the thread of its connection seven times, and each visit
    waits for the interpreter twice.

    Args:
        interrupt_after_s: a statement that takes longer is ended; 0 for never.
    """

    _writer: AsyncEngine
    _reader: AsyncEngine
    _interrupt_after_s: float

    async def fetch(self, hot: Hot, params: Params) -> Rows:
        """See ``Line``."""
        assert isinstance(hot, Visit)
        engine = self._reader if hot.reads else self._writer
        rows: Rows = await greenlet_spawn(self._fetch, engine, hot, params)
        return hot.decoded(rows)

    async def close(self) -> None:
        """See ``Line``; the connections are those of the engines."""

    def _fetch(self, engine: AsyncEngine, hot: Visit, params: Params) -> Rows:
        lent = _lent(engine)
        try:
            driver: Any = lent.driver_connection
            values = hot.values(params)  # the time among them, so not before it is our turn
            with self._bounded(driver):
                rows: Rows = await_only(_visit(driver, hot, values))
        except BaseException as error:
            if not isinstance(error, DRIVER_ERRORS) or meaning_of(error) is Meaning.CUT_OFF:
                lent.invalidate()
            raise
        else:
            return rows
        finally:
            lent.close()

    @contextmanager
    def _bounded(self, driver: Any) -> Iterator[None]:  # noqa: ANN401 - aiosqlite's
        """End what takes too long, by SQLite's own means; once more if the first time it came too early."""
        if not self._interrupt_after_s:
            yield
            return
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def interrupt_later() -> None:
            nonlocal timer
            timer = loop.call_later(self._interrupt_after_s, interrupt)

        def interrupt() -> None:
            driver._conn.interrupt()  # noqa: SLF001 - its own is a coroutine that does the same
            interrupt_later()

        interrupt_later()
        try:
            yield
        finally:
            timer.cancel()


async def _visit(driver: Any, hot: Visit, values: list[Any]) -> Rows:  # noqa: ANN401 - aiosqlite's
    """Carry out the whole statement in the connection's thread. Its public calls are one visit each."""
    rows: Rows = await driver._execute(hot.carry_out, driver._conn, values)  # noqa: SLF001
    return rows


def _lent(engine: AsyncEngine) -> PoolProxiedConnection:
    try:
        return engine.sync_engine.raw_connection()
    except DRIVER_ERRORS as error:
        raise Unsent(error) from error
