"""Leadership in SQL: a row per role, held until a moment of the database's time."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.sql.dml import ReturningInsert

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Dialect, Hot, Rows
from jobmill.adapters.sql.fences import later
from jobmill.adapters.sql.schema import leadership
from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.ports.leadership import Leadership


@frozen(kw_only=True)
class SqlLeadership(Leadership):
    """The roles of one database."""

    _database: Database
    _holding: Hot

    @classmethod
    def on(cls, database: Database) -> "SqlLeadership":
        """Build the statement that is carried out all the time."""
        return cls(database=database, holding=database.dialect.hot(_holding(database.dialect)))

    async def hold(self, role: str, *, holder: str, ttl: timedelta) -> bool:
        """See ``Leadership``."""
        params = {"new_role": role, "new_holder": holder, "new_ttl": ttl}
        return bool(await self._surely(self._database.hot(self._holding, params)))

    async def holder(self, role: str) -> str | None:
        """See ``Leadership``."""
        rows = await self._database.read(select(leadership.c.holder).where(leadership.c.role == role))
        return rows[0].holder if rows else None

    async def resign(self, role: str, *, holder: str) -> None:
        """See ``Leadership``."""
        mine = delete(leadership).where(leadership.c.role == role, leadership.c.holder == holder)
        await self._surely(self._database.write(mine))

    async def _surely(self, write: Awaitable[Rows]) -> Rows:
        """An answer that did not come is no leadership, whatever stands in the row: it ends by itself."""
        try:
            return await write
        except StorageUnknown as error:
            raise StorageUnavailable(str(error), retry_after=error.retry_after) from error


def _holding(dialect: Dialect) -> ReturningInsert[Any]:
    now = dialect.now
    taken = dialect.insert(leadership).values(
        role=bindparam("new_role"),
        holder=bindparam("new_holder"),
        held_until=later(now, bindparam("new_ttl", None, SPAN)),
    )
    return taken.on_conflict_do_update(
        index_elements=[leadership.c.role],
        set_={"holder": taken.excluded.holder, "held_until": taken.excluded.held_until},
        where=or_(leadership.c.holder == taken.excluded.holder, leadership.c.held_until <= now),
    ).returning(leadership.c.role)
