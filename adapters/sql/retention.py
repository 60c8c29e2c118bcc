"""Letting go in SQL: rows in pages, and on PostgreSQL whole days with their partition."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    Uuid,
    bindparam,
    delete,
    exists,
    not_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningDelete

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.days import Days
from jobmill.adapters.sql.dialect import Dialect, Incoming
from jobmill.adapters.sql.id_times import lowest_id
from jobmill.adapters.sql.kinds import KINDS, Kind, kinds_in, merged
from jobmill.adapters.sql.schema import job_history, job_keys, job_progress, job_tags, jobs, quarantine
from jobmill.application.ports.retention import RetentionSteps
from jobmill.domain.states import TERMINAL, JobState

#: How far the clock that made an id may be ahead of the database's, by which a job's end is set.
_CLOCKS_APART: Final = timedelta(minutes=1)
#: A day of jobs goes whole once all of it is past; only what is left a day after that is deleted by rows.
_LEFT_TO_DAYS: Final = timedelta(days=2)
_HANGS_ON_JOBS: Final = (job_keys, job_tags, job_history, job_progress)


@frozen(kw_only=True)
class SqlRetention(RetentionSteps):
    """What one database no longer keeps."""

    _database: Database
    _days: Days | None
    _past: Incoming
    _deleting: ReturningDelete[Any]
    _gone: Incoming
    _following: Sequence[Delete]

    @classmethod
    def on(cls, database: Database) -> "SqlRetention":
        """Build the statements."""
        dialect = database.dialect
        past = dialect.incoming("past", {"job_id": Uuid()})
        gone = dialect.incoming("gone", {"job_id": Uuid()})
        ids = select(gone.rows.c.job_id)
        is_postgres = database.units.dialect.name == "postgresql"
        return cls(
            database=database,
            days=Days(database=database) if is_postgres else None,
            past=past,
            deleting=_deleting(dialect, past),
            gone=gone,
            following=[delete(table).where(table.c.job_id.in_(ids)) for table in _HANGS_ON_JOBS],
        )

    async def delete_jobs(self, keep: Mapping[JobState, timedelta], *, limit: int) -> int:
        """See ``RetentionSteps``. Walks along each kind from its oldest id, so what is kept is not read."""

        async def work(connection: AsyncConnection) -> int:
            found = await self._found(connection, keep, limit)
            if not found:
                return 0
            gone: list[UUID] = []
            for ended_in in {state for _, state in found}:
                some = [(job_id,) for job_id, state in found if state is ended_in]
                bound = self._past.bound(some) | {"ended_in": ended_in, "keep": keep[ended_in]}
                gone += (await connection.execute(self._deleting, bound)).scalars().all()
            bound = self._gone.bound([(job_id,) for job_id in gone])
            for statement in self._following if gone else ():
                await connection.execute(statement, bound)
            return len(gone)

        return await self._database.unit(work)

    async def delete_foreign(self, keep: timedelta, *, limit: int) -> int:
        """See ``RetentionSteps``."""
        is_old = quarantine.c.received_at < self._database.dialect.now - bindparam("keep", type_=SPAN)
        oldest = select(quarantine.c.id).where(is_old).order_by(quarantine.c.id).limit(limit)
        statement = delete(quarantine).where(quarantine.c.id.in_(oldest), is_old).returning(quarantine.c.id)
        return len(await self._database.write(statement, {"keep": keep}))

    async def turn(self, keep: Mapping[JobState, timedelta]) -> bool:
        """See ``RetentionSteps``."""
        return self._days is not None and await self._days.turn(keep)

    async def _found(
        self, connection: AsyncConnection, keep: Mapping[JobState, timedelta], limit: int
    ) -> Sequence[tuple[UUID, JobState]]:
        """Return the oldest jobs that are past, by their ids."""
        [(now,)] = (await connection.execute(self._database.dialect.time)).all()
        slack = _LEFT_TO_DAYS if self._days is not None else -_CLOCKS_APART
        before = {state: lowest_id(now - span - slack) for state, span in keep.items()}
        kinds = [kind for kind in kinds_in((await connection.execute(KINDS)).all()) if kind.state in keep]

        def walk(kind: Kind) -> Select[Any]:
            is_old = jobs.c.finished_at < now - keep[kind.state]
            found = select(jobs.c.id, jobs.c.state).where(
                kind.matches, jobs.c.id < before[kind.state], is_old
            )
            return found.where(not_(_is_held(self._database.dialect))).order_by(jobs.c.id).limit(limit)

        found: list[tuple[UUID, JobState]] = []
        for page in merged(kinds, walk):
            rows = await connection.execute(select(page).order_by(page.c.id).limit(limit))
            found += [(row.id, row.state) for row in rows]
        return sorted(found, key=lambda each: each[0])[:limit]


def _is_held(dialect: Dialect) -> ColumnElement[bool]:
    """A key of the job is still kept for it."""
    return exists(job_keys.c.job_id).where(
        job_keys.c.job_id == jobs.c.id, job_keys.c.expires_at > dialect.now
    )


def _deleting(dialect: Dialect, past: Incoming) -> ReturningDelete[Any]:
    """Build the deletion. It says again what makes a job past: an operator may have called it back."""
    return (
        delete(jobs)
        .where(
            dialect.locks(past, jobs.c.id, skip=True),
            jobs.c.state.in_(TERMINAL),
            jobs.c.state == bindparam("ended_in", type_=jobs.c.state.type),
            jobs.c.finished_at < dialect.now - bindparam("keep", type_=SPAN),
            not_(_is_held(dialect)),
        )
        .returning(jobs.c.id)
    )
