"""Leases in SQL: columns of the job's row that change without a new version."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from sqlalchemy import Select, Text, Uuid, bindparam, select, true, update
from sqlalchemy.sql.dml import ReturningUpdate

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Dialect, Hot, Incoming, Values
from jobmill.adapters.sql.fences import FENCE, fence_values, later, stands
from jobmill.adapters.sql.guards import RUNS
from jobmill.adapters.sql.mapping import READ, job_from
from jobmill.adapters.sql.schema import jobs
from jobmill.application.ports.leases import Busy, LeaseAnswer, Leases, Lost, Renewed
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import Fence

_RUNNING = jobs.c.state == JobState.PROCESSING
_RENEWED: Final = (Renewed(stop_asked=False), Renewed(stop_asked=True))
_WORKERS = (
    select(jobs.c.worker).where(_RUNNING, jobs.c.worker.is_not(None)).distinct().order_by(jobs.c.worker)
)


@frozen(kw_only=True)
class SqlLeases(Leases):
    """The leases of one database."""

    _database: Database
    _fences: Incoming
    _renewing: Hot
    _standing: Hot
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
            renewing=dialect.hot(_renewing(dialect, fences)),
            standing=dialect.hot(
                select(jobs.c.id, jobs.c.version, jobs.c.stamp)
                .join_from(jobs, fences.rows, stands(fences.rows))
                .where(fences.among(jobs.c.id), RUNS)
            ),
            ids=ids,
            asking=_asking(dialect, ids),
            lapsed=_lapsed(dialect),
            names=names,
            held=_held(names),
        )

    async def renew(self, fences: Sequence[Fence], *, ttl: timedelta) -> Sequence[LeaseAnswer]:
        """See ``Leases``. A fence that stands and was not renewed belongs to a row that others had locked."""
        if not fences:
            return []
        wanted = [fence_values(fence) for fence in fences]
        bound = self._fences.bound(wanted)
        rows = await self._database.hot(self._renewing, bound | {"lease": ttl})
        answers: dict[Values, LeaseAnswer] = {tuple(row[:3]): _RENEWED[bool(row[3])] for row in rows}
        if missed := [each for each in wanted if each not in answers]:
            standing = await self._database.read_after_write(self._standing, self._fences.bound(missed))
            answers |= {tuple(row): Busy() for row in standing}
        return [answers.get(each, Lost()) for each in wanted]

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
    return (
        update(jobs)
        .values(lease_until=later(dialect.now, bindparam("lease", None, SPAN)))
        .where(stands(fences.rows), dialect.locks(fences, jobs.c.id, skip=True, joined=True), RUNS)
        .returning(jobs.c.id, jobs.c.version, jobs.c.stamp, jobs.c.stop_asked)
    )


def _asking(dialect: Dialect, ids: Incoming) -> ReturningUpdate[Any]:
    return (
        update(jobs).values(stop_asked=true()).where(dialect.locks(ids, jobs.c.id), RUNS).returning(jobs.c.id)
    )


def _lapsed(dialect: Dialect) -> Select[Any]:
    return (
        select(*READ)
        .where(_RUNNING, jobs.c.lease_until < dialect.now)
        .order_by(jobs.c.lease_until, jobs.c.id)
        .limit(bindparam("rows_max"))
    )


def _held(names: Incoming) -> Select[Any]:
    return (
        select(*READ)
        .join_from(jobs, names.rows, jobs.c.worker == names.rows.c.worker)
        .where(_RUNNING)
        .order_by(jobs.c.id)
        .limit(bindparam("rows_max"))
    )
