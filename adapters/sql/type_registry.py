"""Types and workers in SQL: small tables, read whole every few seconds."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Executable, Select, bindparam, delete, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.fences import later
from jobmill.adapters.sql.process_tables import job_types, workers
from jobmill.application.ports.type_registry import (
    LIVE_WITHIN,
    TYPES_MAX,
    LiveWorker,
    Sightings,
    StoredType,
    TypeRegistry,
    WorkerCard,
)
from jobmill.domain.job_type import TypeRules
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import Priority

_TYPES = tuple(job_types.columns)
_WORKERS = tuple(workers.columns)
_LATEST: Final = select(*_TYPES).order_by(job_types.c.declared_at.desc()).limit(TYPES_MAX)


@frozen(kw_only=True)
class SqlTypeRegistry(TypeRegistry):
    """What one database knows of types."""

    _database: Database
    _attending: Executable
    _living: Select[Any]

    @classmethod
    def on(cls, database: Database) -> "SqlTypeRegistry":
        """Build the statements that are carried out all the time."""
        now = database.dialect.now
        seen_since = later(now, literal(-LIVE_WITHIN, SPAN))
        new = database.dialect.insert(workers).values(
            name=bindparam("new_name"),
            started_at=now,
            seen_at=now,
            concurrency=bindparam("new_concurrency"),
            types=bindparam("new_types"),
        )
        updated = {name: new.excluded[name] for name in ("seen_at", "concurrency", "types")}
        return cls(
            database=database,
            attending=new.on_conflict_do_update(index_elements=[workers.c.name], set_=updated),
            living=select(*_WORKERS).where(workers.c.seen_at > seen_since).order_by(workers.c.name),
        )

    async def declare(self, types: Sequence[StoredType]) -> None:
        """See ``TypeRegistry``."""
        if not types:
            return
        new = self._database.dialect.insert(job_types).values(declared_at=self._database.dialect.now)
        statement = new.on_conflict_do_update(
            index_elements=[job_types.c.name, job_types.c.hash],
            set_={name: new.excluded[name] for name in ("rules", "schema", "declared_at")},
        )
        rows = [_row(each) for each in sorted(types, key=lambda each: (each.name, each.hash))]

        async def work(connection: AsyncConnection) -> None:
            for row in rows:  # in one order, so that two processes that start together cannot lock each other
                await connection.execute(statement, row)

        await self._database.unit(work)

    async def attend(self, card: WorkerCard) -> None:
        """See ``TypeRegistry``."""
        params = {
            "new_name": card.name,
            "new_concurrency": card.concurrency,
            "new_types": dict(card.types),
        }
        await self._database.write(self._attending, params)

    async def leave(self, name: str) -> None:
        """See ``TypeRegistry``."""
        await self._database.write(delete(workers).where(workers.c.name == name))

    async def look(self) -> Sightings:
        """See ``TypeRegistry``."""

        async def work(connection: AsyncConnection) -> Sightings:
            types = [_type(row) for row in await connection.execute(_LATEST)]
            live = [_worker(row) for row in await connection.execute(self._living)]
            return Sightings(types=sorted(types, key=lambda each: (each.name, each.hash)), workers=live)

        return await self._database.look(work)

    async def forget(self, *, types_after: timedelta, workers_after: timedelta, limit: int) -> int:
        """See ``TypeRegistry``."""
        now = self._database.dialect.now
        key = tuple_(job_types.c.name, job_types.c.hash)
        unused = job_types.c.declared_at < later(now, literal(-types_after, SPAN))
        old = select(job_types.c.name, job_types.c.hash).where(unused).limit(limit)
        gone = select(workers.c.name).where(workers.c.seen_at < later(now, literal(-workers_after, SPAN)))
        await self._database.write(delete(workers).where(workers.c.name.in_(gone.limit(limit))))
        return len(
            await self._database.write(delete(job_types).where(key.in_(old)).returning(job_types.c.name))
        )


def _row(stored: StoredType) -> dict[str, Any]:
    rules = stored.rules
    return {
        "name": stored.name,
        "hash": stored.hash,
        "rules": {
            "queue": rules.queue,
            "priority": rules.priority.value,
            "max_attempts": rules.retry.max_attempts,
            "ttl_s": None if rules.ttl is None else rules.ttl.total_seconds(),
            "timeout_s": rules.timeout.total_seconds(),
            "payload_version": rules.payload_version,
            "reads_from": stored.reads_from,
            "log_fields": list(rules.log_fields),
        },
        "schema": {"schema": dict(stored.schema), "components": dict(stored.components)},
    }


def _type(row: Any) -> StoredType:  # noqa: ANN401 - a row
    rules: Mapping[str, Any] = row.rules
    return StoredType(
        name=row.name,
        hash=row.hash,
        rules=TypeRules(
            name=row.name,
            queue=rules["queue"],
            priority=Priority(rules["priority"]),
            retry=RetryPolicy(max_attempts=rules["max_attempts"]),
            ttl=None if rules["ttl_s"] is None else timedelta(seconds=rules["ttl_s"]),
            timeout=timedelta(seconds=rules["timeout_s"]),
            payload_version=rules["payload_version"],
            log_fields=tuple(rules.get("log_fields", ())),  # rows of earlier releases have none
        ),
        reads_from=rules["reads_from"],
        schema=row.schema["schema"],
        components=row.schema["components"],
        declared_at=row.declared_at,
    )


def _worker(row: Any) -> LiveWorker:  # noqa: ANN401 - a row
    card = WorkerCard(name=row.name, concurrency=row.concurrency, types=row.types)
    return LiveWorker(card=card, started_at=row.started_at, seen_at=row.seen_at)
