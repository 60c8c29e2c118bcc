"""Foreign messages in SQL, kept as they came."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import frozen
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.schema import quarantine
from jobmill.application.ports.quarantine import ForeignMessage, Quarantine

_COLUMNS = tuple(quarantine.columns)
_NAMES = tuple(quarantine.columns.keys())


@frozen(kw_only=True)
class SqlQuarantine(Quarantine):
    """The quarantine of one database."""

    _database: Database

    async def keep(self, messages: Sequence[ForeignMessage]) -> None:
        """See ``Quarantine``."""
        if not messages:
            return
        statement = self._database.dialect.insert(quarantine).on_conflict_do_nothing(
            index_elements=[quarantine.c.id]
        )
        rows = [_values(message) for message in sorted(messages, key=lambda each: each.id)]

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement, rows)

        await self._database.unit(work)

    async def page(self, *, limit: int, before: UUID | None = None) -> Sequence[ForeignMessage]:
        """See ``Quarantine``."""
        statement = select(*_COLUMNS).order_by(quarantine.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(quarantine.c.id < before)
        return [_message(row) for row in await self._database.read(statement)]

    async def get(self, message_id: UUID) -> ForeignMessage | None:
        """See ``Quarantine``."""
        rows = await self._database.read(select(*_COLUMNS).where(quarantine.c.id == message_id))
        return _message(rows[0]) if rows else None

    async def drop(self, message_id: UUID) -> bool:
        """See ``Quarantine``."""
        statement = delete(quarantine).where(quarantine.c.id == message_id).returning(quarantine.c.id)
        return bool(await self._database.write(statement))


def _values(message: ForeignMessage) -> dict[str, Any]:
    return {name: getattr(message, name) for name in _NAMES} | {"headers": dict(message.headers)}


def _message(row: Sequence[Any]) -> ForeignMessage:
    return ForeignMessage(**dict(zip(_NAMES, row, strict=True)))
