"""Jobs in SQL: stored whole, changed by compare-and-set, answered by the stamp of each move."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from attrs import frozen
from sqlalchemy import Executable, Row

from jobmill.adapters.sql.adding import Adding
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Params
from jobmill.adapters.sql.fences import fence_in
from jobmill.adapters.sql.finding import Finding
from jobmill.adapters.sql.mapping import as_the_row_says
from jobmill.adapters.sql.saving import Saving
from jobmill.application.ports.job_repository import (
    AddAnswer,
    JobRepository,
    NewJob,
    SaveAnswer,
    Saved,
    Stale,
)
from jobmill.domain.job import Job
from jobmill.domain.transition import Transition

Read = Callable[[Executable, Params], Awaitable[Sequence[Row[Any]]]]


@frozen(kw_only=True)
class SqlJobs(JobRepository):
    """The jobs of one database."""

    _database: Database
    _adding: Adding
    _saving: Saving
    _finding: Finding

    @classmethod
    def on(cls, database: Database, *, attended: bool = True) -> "SqlJobs":
        """Build the statements; see ``Adding.on``."""
        dialect = database.dialect
        return cls(
            database=database,
            adding=Adding.on(database, attended=attended),
            saving=Saving.on(dialect, attended=attended),
            finding=Finding.on(dialect),
        )

    async def add(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        """See ``JobRepository``."""
        return await self._adding.add(units)

    async def get(self, job_ids: Sequence[UUID]) -> Sequence[Job | None]:
        """See ``JobRepository``."""
        found = await self._found(job_ids, self._database.read)
        return [found.get(job_id) for job_id in job_ids]

    async def save(self, transitions: Sequence[Transition]) -> Sequence[SaveAnswer]:
        """See ``JobRepository``.

        What the statement did not touch is looked at by another: a row that already has the new version and
        its stamp was saved by an earlier try, perhaps by one that was still waiting for its lock just now.
        """
        if not transitions:
            return []
        rows = await self._database.link(self._saving.chain, *self._saving.bound(transitions))
        saved = {fence_in(row): row for row in rows}
        missed = [each.job.id for each in transitions if each.job.fence not in saved]
        earlier = await self._found(missed, self._database.read_after_write)
        return [_answer(each, saved.get(each.job.fence), earlier.get(each.job.id)) for each in transitions]

    async def _found(self, job_ids: Sequence[UUID], read: Read) -> Mapping[UUID, Job]:
        if not job_ids:
            return {}
        rows = await read(self._finding.statement, self._finding.bound(job_ids))
        return self._finding.found(rows)


def _answer(transition: Transition, saved: Row[Any] | None, row: Job | None) -> SaveAnswer:
    if saved is not None:
        return Saved(job=as_the_row_says(transition.job, saved))
    if row is not None and row.fence == transition.job.fence:
        return Saved(job=row)
    return Stale(job_id=transition.job.id)
