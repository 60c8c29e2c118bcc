"""Providers in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.provider_states import PROVIDERS_MAX, ProviderRecord, ProviderStates


@frozen(kw_only=True)
class MemoryProviderStates(ProviderStates):
    """What one in-memory database knows of the providers."""

    database: Database

    async def look(self, providers: Sequence[str] | None = None) -> Sequence[ProviderRecord]:
        """Sort and cut."""

        def statement(tables: Tables, _now: datetime) -> Sequence[ProviderRecord]:
            names = tables.providers.keys() if providers is None else tables.providers.keys() & {*providers}
            return [tables.providers[name] for name in sorted(names)[:PROVIDERS_MAX]]

        return await self.database.run("providers.look", statement)

    async def save(self, records: Sequence[ProviderRecord]) -> Sequence[bool]:
        """Compare and set, each by itself."""

        def statement(tables: Tables, now: datetime) -> Sequence[bool]:
            answers = []
            for record in records:
                stored = tables.providers.get(record.provider)
                stands = stored is None or stored.version == record.version
                if stands:
                    tables.providers[record.provider] = evolve(
                        record, version=record.version + 1, changed_at=now
                    )
                answers.append(stands)
            return answers

        return await self.database.run("providers.save", statement)

    async def forget(self, *, unchanged_for: timedelta, limit: int) -> int:
        """Delete what is old."""

        def statement(tables: Tables, now: datetime) -> int:
            old = [
                name
                for name, each in tables.providers.items()
                if each.changed_at is not None and each.changed_at < now - unchanged_for
            ][:limit]
            for name in old:
                del tables.providers[name]
            return len(old)

        return await self.database.run("providers.forget", statement)
