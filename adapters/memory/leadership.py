"""Roles in memory: who leads, until when."""

from datetime import datetime, timedelta

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import RoleRow, Tables
from jobmill.application.ports.leadership import Leadership


@frozen(kw_only=True)
class MemoryLeadership(Leadership):
    """The roles of one in-memory database."""

    database: Database

    async def hold(self, role: str, *, holder: str, ttl: timedelta) -> bool:
        """Take the role where it is free, mine, or over."""

        def statement(tables: Tables, now: datetime) -> bool:
            held = tables.roles.get(role)
            if held is not None and held.holder != holder and held.until >= now:
                return False
            tables.roles[role] = RoleRow(holder=holder, until=now + ttl)
            return True

        return await self.database.run("leadership.hold", statement)

    async def holder(self, role: str) -> str | None:
        """Look the row up."""

        def statement(tables: Tables, _now: datetime) -> str | None:
            held = tables.roles.get(role)
            return None if held is None else held.holder

        return await self.database.run("leadership.holder", statement)

    async def resign(self, role: str, *, holder: str) -> None:
        """Drop the row if it is mine."""

        def statement(tables: Tables, _now: datetime) -> None:
            held = tables.roles.get(role)
            if held is not None and held.holder == holder:
                del tables.roles[role]

        await self.database.run("leadership.resign", statement)
