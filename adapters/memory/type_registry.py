"""Types and workers in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.type_registry import (
    LIVE_WITHIN,
    TYPES_MAX,
    LiveWorker,
    Sightings,
    StoredType,
    TypeRegistry,
    WorkerCard,
)


@frozen(kw_only=True)
class MemoryTypeRegistry(TypeRegistry):
    """What one in-memory database knows of types."""

    database: Database

    async def declare(self, types: Sequence[StoredType]) -> None:
        """Replace by name and hash."""

        def statement(tables: Tables, now: datetime) -> None:
            for each in types:
                tables.job_types[each.name, each.hash] = evolve(each, declared_at=now)

        await self.database.run("types.declare", statement)

    async def attend(self, card: WorkerCard) -> None:
        """Keep the time of the first call."""

        def statement(tables: Tables, now: datetime) -> None:
            before = tables.workers.get(card.name)
            started_at = now if before is None else before.started_at
            tables.workers[card.name] = LiveWorker(card=card, started_at=started_at, seen_at=now)

        await self.database.run("types.attend", statement)

    async def leave(self, name: str) -> None:
        """Delete one."""
        await self.database.run("types.leave", lambda tables, _now: tables.workers.pop(name, None))

    async def look(self) -> Sightings:
        """Sort and cut."""

        def statement(tables: Tables, now: datetime) -> Sightings:
            latest = sorted(tables.job_types.values(), key=_declared_at, reverse=True)[:TYPES_MAX]
            live = [each for each in tables.workers.values() if each.seen_at > now - LIVE_WITHIN]
            return Sightings(
                types=sorted(latest, key=lambda each: (each.name, each.hash)),
                workers=sorted(live, key=lambda each: each.card.name),
            )

        return await self.database.run("types.look", statement)

    async def forget(self, *, types_after: timedelta, workers_after: timedelta, limit: int) -> int:
        """Delete what is old."""

        def statement(tables: Tables, now: datetime) -> int:
            old = [key for key, each in tables.job_types.items() if _declared_at(each) < now - types_after]
            for key in old[:limit]:
                del tables.job_types[key]
            gone = [name for name, each in tables.workers.items() if each.seen_at < now - workers_after]
            for name in gone[:limit]:
                del tables.workers[name]
            return len(old[:limit])

        return await self.database.run("types.forget", statement)


def _declared_at(stored: StoredType) -> datetime:
    assert stored.declared_at is not None
    return stored.declared_at
