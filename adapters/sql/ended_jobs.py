"""Finished jobs in SQL whose end others wait for: along an index that has no others."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from attrs import frozen
from sqlalchemy import BigInteger, Update, Uuid, func, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Dialect, Incoming
from jobmill.adapters.sql.mapping import READ, job_from
from jobmill.adapters.sql.schema import FOLLOWS, IN_BATCH, WATCHED_END, jobs
from jobmill.application.ports.ended_jobs import Ended, EndedJobs
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.ties import Tally


@frozen(kw_only=True)
class SqlEndedJobs(EndedJobs):
    """What is watched in one database."""

    _database: Database
    _forgetting: Update
    _forgotten: Incoming

    @classmethod
    def on(cls, database: Database) -> "SqlEndedJobs":
        """Build the statements."""
        forgotten = database.dialect.incoming("forgotten", {"job_id": Uuid(), "watch": BigInteger()})
        return cls(
            database=database, forgetting=_forgetting(database.dialect, forgotten), forgotten=forgotten
        )

    async def ended(self, *, limit: int) -> Sequence[Ended]:
        """See ``EndedJobs``."""
        statement = select(*READ, jobs.c.watched).where(WATCHED_END).order_by(jobs.c.id).limit(limit)
        rows = await self._database.read(statement)
        return [Ended(job=job_from(row), watch=row.watched) for row in rows]

    async def held_after(self, job_ids: Sequence[UUID], *, limit: int) -> Sequence[Job]:
        """See ``EndedJobs``."""
        statement = (
            select(*READ)
            .where(
                FOLLOWS,
                jobs.c.follows.in_(job_ids),
                jobs.c.state == JobState.SCHEDULED,
                jobs.c.inherited.is_(None),
            )
            .order_by(jobs.c.id)
            .limit(limit)
        )
        return [job_from(row) for row in await self._database.read(statement)]

    async def tallies(self, callbacks: Sequence[UUID]) -> Mapping[UUID, tuple[Job, Tally]]:
        """See ``EndedJobs``."""
        if not callbacks:
            return {}
        rows = await self._database.read(
            select(*READ).where(jobs.c.id.in_(callbacks), jobs.c.batch_size.is_not(None))
        )
        found = [job_from(row) for row in rows]
        counted = await self._database.read(
            select(jobs.c.batch, jobs.c.state, func.count().label("number"))
            .where(IN_BATCH, jobs.c.batch.in_([job.id for job in found]))
            .group_by(jobs.c.batch, jobs.c.state)
        )
        counts: dict[UUID, dict[JobState, int]] = {job.id: {} for job in found}
        for row in counted:
            counts[row.batch][row.state] = row.number
        return {job.id: (job, Tally(size=job.batch_size or 0, counts=counts[job.id])) for job in found}

    async def forget(self, ended: Sequence[Ended]) -> None:
        """See ``EndedJobs``. The stamp is compared again where somebody else held the row meanwhile."""
        ordered = sorted(ended, key=lambda each: each.job.id.int)
        params = self._forgotten.bound([(each.job.id, each.watch) for each in ordered])

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(self._forgetting, params)

        await self._database.unit(work)


def _forgetting(dialect: Dialect, forgotten: Incoming) -> Any:  # noqa: ANN401
    row = forgotten.rows.c
    return (
        update(jobs)
        .values(watched=null())
        .where(
            jobs.c.id == row.job_id,
            dialect.locks(forgotten, jobs.c.id, joined=True),
            jobs.c.watched == row.watch,
        )
    )
