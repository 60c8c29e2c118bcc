"""Providers in SQL: a row for each, changed about once a second by each process that calls it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import delete, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.fences import later
from jobmill.adapters.sql.process_tables import providers as table
from jobmill.application.ports.provider_states import PROVIDERS_MAX, ProviderRecord, ProviderStates
from jobmill.domain.call_window import CallWindow, Slot
from jobmill.domain.circuit_breaker import Breaker

_COLUMNS = tuple(table.columns)


@frozen(kw_only=True)
class SqlProviderStates(ProviderStates):
    """What one database knows of the providers."""

    _database: Database

    async def look(self, providers: Sequence[str] | None = None) -> Sequence[ProviderRecord]:
        """See ``ProviderStates``."""
        rows = select(*_COLUMNS).order_by(table.c.provider).limit(PROVIDERS_MAX)
        if providers is not None:
            rows = rows.where(table.c.provider.in_(sorted(providers)))
        # By whichever rule the database sorts texts, the answer is sorted by one.
        return sorted(map(_record, await self._database.read(rows)), key=lambda each: each.provider)

    async def save(self, records: Sequence[ProviderRecord]) -> Sequence[bool]:
        """See ``ProviderStates``."""
        ordered = sorted(enumerate(records), key=lambda each: each[1].provider)

        async def work(connection: AsyncConnection) -> Sequence[bool]:
            answers = [False] * len(records)
            for place, record in ordered:  # in one order, so that two processes cannot lock each other
                answers[place] = await self._save(connection, record)
            return answers

        return await self._database.unit(work) if records else []

    async def _save(self, connection: AsyncConnection, record: ProviderRecord) -> bool:
        new = self._database.dialect.insert(table).values(
            **_row(record), changed_at=self._database.dialect.now
        )
        statement = new.on_conflict_do_update(
            index_elements=[table.c.provider],
            set_={each.name: new.excluded[each.name] for each in _COLUMNS if not each.primary_key},
            where=table.c.version == record.version,
        ).returning(table.c.provider)
        return (await connection.execute(statement)).first() is not None

    async def forget(self, *, unchanged_for: timedelta, limit: int) -> int:
        """See ``ProviderStates``."""
        ago = later(self._database.dialect.now, literal(-unchanged_for, SPAN))
        old = select(table.c.provider).where(table.c.changed_at < ago).limit(limit)
        gone = delete(table).where(table.c.provider.in_(old)).returning(table.c.provider)
        return len(await self._database.write(gone))


def _row(record: ProviderRecord) -> Mapping[str, Any]:
    breaker = record.breaker
    return {
        "provider": record.provider,
        "state": breaker.state,
        "since": breaker.since,
        "until": breaker.until,
        "openings": breaker.openings,
        "successes": breaker.successes,
        "probe": breaker.probe,
        "calls": [[slot.number, slot.calls, slot.failures] for slot in breaker.window.slots],
        "limits": dict(record.limits),
        "version": record.version + 1,
    }


def _record(row: Any) -> ProviderRecord:  # noqa: ANN401 - a row
    slots = (Slot(number=number, calls=calls, failures=failures) for number, calls, failures in row.calls)
    return ProviderRecord(
        provider=row.provider,
        breaker=Breaker(
            state=row.state,
            since=row.since,
            until=row.until,
            openings=row.openings,
            successes=row.successes,
            probe=row.probe,
            window=CallWindow(slots=tuple(slots)),
        ),
        limits=row.limits,
        version=row.version,
        changed_at=row.changed_at,
    )
