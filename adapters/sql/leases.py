"""Leases in SQL: columns of the job's row that change without a new version."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from attrs import frozen
from sqlalchemy import Select, Text, Uuid, bindparam, select, true, update
from sqlalchemy.sql.dml import ReturningUpdate

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Dialect, Incoming
from jobmill.adapters.sql.fences import FENCE, fence_in, fence_values, later, locked, stands
from jobmill.adapters.sql.mapping import JOB, job_from
from jobmill.adapters.sql.schema import jobs
from jobmill.application.ports.leases import Busy, LeaseAnswer, Leases, Lost, Renewed
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import Fence

_RUNNING = jobs.c.state == JobState.PROCESSING
_WORKERS = (
    select(jobs.c.worker).where(_RUNNING, jobs.c.worker.is_not(None)).distinct().order_by(jobs.c.worker)
)


@frozen(kw_only=True)
class SqlLeases(Leases):
    """The leases of one database."""

    _database: Database
    _fences: Incoming
    _renewing: ReturningUpdate[Any]
    _standing: Select[Any]
    _ids: Incoming
    _asking: ReturningUpdate[Any]
    _lapsed: Select[Any]
    _names: Incoming
    _held: Select[Any]

    @classmethod
    def on(cls, database: Database) -> "SqlLeases":
        """Build the statements."""
        dialect = database.dialect
        fences = dialect.incoming("fences", FENCE)
        ids = dialect.incoming("asked", {"job_id": Uuid()})
        names = dialect.incoming("workers", {"worker": Text()})
        return cls(
            database=database,
            fences=fences,
            renewing=_renewing(dialect, fences),
            standing=select(jobs.c.id, jobs.c.version, jobs.c.stamp)
            .join_from(jobs, fences.rows, stands(fences.rows))
            .where(_RUNNING),
            ids=ids,
            asking=_asking(ids),
            lapsed=_lapsed(dialect),
            names=names,
            held=_held(names),
        )

    async def renew(self, fences: Sequence[Fence], *, ttl: timedelta) -> Sequence[LeaseAnswer]:
        """See ``Leases``. A fence that stands and was not renewed belongs to a row that others had locked."""
        if not fences:
            return []
        bound = self._fences.bound([fence_values(fence) for fence in fences])
        rows = await self._database.write(self._renewing, bound | {"lease": ttl})
        answers: dict[Fence, LeaseAnswer] = {
            fence_in(row): Renewed(stop_asked=row.stop_asked) for row in rows
        }
        if missed := [fence_values(fence) for fence in fences if fence not in answers]:
            standing = await self._database.read_after_write(self._standing, self._fences.bound(missed))
            answers |= {fence_in(row): Busy() for row in standing}
        return [answers.get(fence, Lost()) for fence in fences]

    async def ask_to_stop(self, job_ids: Sequence[UUID]) -> Sequence[bool]:
        """See ``Leases``."""
        if not job_ids:
            return []
        bound = self._ids.bound([(job_id,) for job_id in dict.fromkeys(job_ids)])
        asked = {row.id for row in await self._database.write(self._asking, bound)}
        return [job_id in asked for job_id in job_ids]

    async def lapsed(self, *, limit: int) -> Sequence[Job]:
        """See ``Leases``."""
        return [job_from(row) for row in await self._database.read(self._lapsed, {"rows_max": limit})]

    async def workers(self) -> Sequence[str]:
        """See ``Leases``."""
        return [row.worker for row in await self._database.read(_WORKERS)]

    async def held_by(self, workers: Sequence[str], *, limit: int) -> Sequence[Job]:
        """See ``Leases``."""
        if not workers:
            return []
        bound = self._names.bound([(worker,) for worker in dict.fromkeys(workers)])
        return [job_from(row) for row in await self._database.read(self._held, bound | {"rows_max": limit})]


def _renewing(dialect: Dialect, fences: Incoming) -> ReturningUpdate[Any]:
    held = locked(fences.rows, skip=True)
    return (
        update(jobs)
        .values(lease_until=later(dialect.now, bindparam("lease", type_=SPAN)))
        .where(stands(held), _RUNNING)
        .returning(jobs.c.id, jobs.c.version, jobs.c.stamp, jobs.c.stop_asked)
    )


def _asking(ids: Incoming) -> ReturningUpdate[Any]:
    held = locked(ids.rows)
    return (
        update(jobs)
        .values(stop_asked=true())
        .where(jobs.c.id == held.c.job_id, _RUNNING)
        .returning(jobs.c.id)
    )


def _lapsed(dialect: Dialect) -> Select[Any]:
    return (
        select(*JOB)
        .where(_RUNNING, jobs.c.lease_until < dialect.now)
        .order_by(jobs.c.lease_until, jobs.c.id)
        .limit(bindparam("rows_max"))
    )


def _held(names: Incoming) -> Select[Any]:
    return (
        select(*JOB)
        .join_from(jobs, names.rows, jobs.c.worker == names.rows.c.worker)
        .where(_RUNNING)
        .order_by(jobs.c.id)
        .limit(bindparam("rows_max"))
    )
