"""The short way to PostgreSQL: a connection of the pool, and the driver's own call."""

import asyncio
from typing import Any

from attrs import frozen
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from jobmill.adapters.sql.dialect import Hot, Line, Params, Rows, Unsent
from jobmill.adapters.sql.faults import DRIVER_ERRORS, Meaning, meaning_of


@frozen(kw_only=True)
class PostgresLine(Line):
    """Statements on the connections of an engine, each by itself, outside of any transaction block.

    A statement by way of SQLAlchemy takes four times the work, as much as fifty rows of a batch.

    Args:
        silence_s: after so long without an answer the connection is given up; None for never.
    """

    _engine: AsyncEngine
    _silence_s: float | None

    async def fetch(self, hot: Hot, params: Params) -> Rows:
        """See ``Line``."""
        async with asyncio.timeout(self._silence_s):
            rows: Rows = await greenlet_spawn(self._fetch, hot.text, hot.values(params))
        return rows

    async def close(self) -> None:
        """See ``Line``."""
        await self._engine.dispose()

    def _fetch(self, text: str, values: list[Any]) -> Rows:
        lent = self._lent()
        try:
            driver: Any = lent.driver_connection
            rows: Rows = await_only(driver.fetch(text, *values))
        except BaseException as error:
            if not isinstance(error, DRIVER_ERRORS) or meaning_of(error) is Meaning.CUT_OFF:
                lent.invalidate()
            raise
        else:
            return rows
        finally:
            lent.close()

    def _lent(self) -> PoolProxiedConnection:
        try:
            return self._engine.sync_engine.raw_connection()
        except DRIVER_ERRORS as error:
            raise Unsent(error) from error
