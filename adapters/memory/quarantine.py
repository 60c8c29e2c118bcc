"""Foreign messages in memory."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.storable import check_message
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.quarantine import ForeignMessage, Quarantine


@frozen(kw_only=True)
class MemoryQuarantine(Quarantine):
    """What one in-memory database keeps for a person to look at."""

    database: Database

    async def keep(self, messages: Sequence[ForeignMessage]) -> None:
        """Store by id; the first of an id stays."""

        def statement(tables: Tables, _now: datetime) -> None:
            for message in messages:
                check_message(message)
            for message in messages:
                tables.quarantine.setdefault(message.id, message)

        await self.database.run("quarantine.keep", statement)

    async def page(self, *, limit: int, before: UUID | None = None) -> Sequence[ForeignMessage]:
        """Sort by id, which is the order of arrival, and cut."""

        def statement(tables: Tables, _now: datetime) -> list[ForeignMessage]:
            below = [each for each in tables.quarantine.values() if before is None or each.id < before]
            return sorted(below, key=lambda message: message.id, reverse=True)[:limit]

        return await self.database.run("quarantine.page", statement)

    async def get(self, message_id: UUID) -> ForeignMessage | None:
        """Look one up."""
        return await self.database.run(
            "quarantine.get", lambda tables, _now: tables.quarantine.get(message_id)
        )

    async def drop(self, message_id: UUID) -> bool:
        """Delete one."""
        return await self.database.run(
            "quarantine.drop", lambda tables, _now: tables.quarantine.pop(message_id, None) is not None
        )
