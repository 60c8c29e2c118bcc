"""Leadership in SQL: a row per role, held until a moment of the database's time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import Executable, delete, literal, or_, select

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.fences import later
from jobmill.adapters.sql.schema import leadership
from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.ports.leadership import Leadership


@frozen(kw_only=True)
class SqlLeadership(Leadership):
    """The roles of one database."""

    _database: Database

    async def hold(self, role: str, *, holder: str, ttl: timedelta) -> bool:
        """See ``Leadership``."""
        now = self._database.dialect.now
        taken = self._database.dialect.insert(leadership).values(
            role=role, holder=holder, held_until=later(now, literal(ttl, SPAN))
        )
        statement = taken.on_conflict_do_update(
            index_elements=[leadership.c.role],
            set_={"holder": taken.excluded.holder, "held_until": taken.excluded.held_until},
            where=or_(leadership.c.holder == taken.excluded.holder, leadership.c.held_until <= now),
        ).returning(leadership.c.role)
        return bool(await self._write(statement))

    async def holder(self, role: str) -> str | None:
        """See ``Leadership``."""
        rows = await self._database.read(select(leadership.c.holder).where(leadership.c.role == role))
        return rows[0].holder if rows else None

    async def resign(self, role: str, *, holder: str) -> None:
        """See ``Leadership``."""
        await self._write(delete(leadership).where(leadership.c.role == role, leadership.c.holder == holder))

    async def _write(self, statement: Executable) -> Sequence[Any]:
        """An answer that did not come is no leadership, whatever stands in the row: it ends by itself."""
        try:
            return await self._database.write(statement)
        except StorageUnknown as error:
            raise StorageUnavailable(str(error), retry_after=error.retry_after) from error
