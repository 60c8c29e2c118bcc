"""What is due, by the database's own clock, along the indexes made for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, select

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.mapping import READ, job_from
from jobmill.adapters.sql.schema import MAY_EXPIRE, TO_CANCEL, jobs
from jobmill.application.ports.due_jobs import DueJobs
from jobmill.domain.job import Job


@frozen(kw_only=True)
class SqlDueJobs(DueJobs):
    """The schedule of one database."""

    _database: Database

    async def due(self, *, limit: int) -> Sequence[Job]:
        """See ``DueJobs``. Only scheduled and retrying jobs have a time to wake up."""
        has_come = jobs.c.wake_at <= self._now
        return await self._found(has_come, order=jobs.c.wake_at, limit=limit)

    async def expired(self, *, limit: int) -> Sequence[Job]:
        """See ``DueJobs``."""
        over = jobs.c.expires_at <= self._now
        return await self._found(MAY_EXPIRE, over, order=jobs.c.expires_at, limit=limit)

    async def to_cancel(self, *, limit: int) -> Sequence[Job]:
        """See ``DueJobs``."""
        return await self._found(TO_CANCEL, order=jobs.c.id, limit=limit)

    @property
    def _now(self) -> ColumnElement[datetime]:
        return self._database.dialect.now

    async def _found(
        self, *conditions: ColumnElement[bool], order: ColumnElement[Any], limit: int
    ) -> Sequence[Job]:
        statement = select(*READ).where(*conditions).order_by(order, jobs.c.id).limit(limit)
        return [job_from(row) for row in await self._database.read(statement)]
