"""Jobs in SQL: stored whole, changed by compare-and-set, answered by the stamp of each move."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast
from uuid import UUID

from attrs import frozen

from jobmill.adapters.sql.adding import Adding
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Hot, Params, Rows
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

Read = Callable[[Hot, Params], Awaitable[Rows]]


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
        found = await self._found(job_ids, partial(self._database.hot, changes=False))
        return [found.get(job_id) for job_id in job_ids]

    async def save(self, transitions: Sequence[Transition]) -> Sequence[SaveAnswer]:
        """See ``JobRepository``.

        What the statement did not touch is looked at by another: a row that already has the new version and
        its stamp was saved by an earlier try, perhaps by one that was still waiting for its lock just now.
        """
        if not transitions:
            return []
        rows = {row[1]: row for row in await self._saving.run(self._database, transitions)}
        saved = [_saved(each.job, rows.get(each.job.stamp)) for each in transitions]
        if all(saved):
            return cast("list[Saved]", saved)
        missed = [each.job.id for each, answer in zip(transitions, saved, strict=True) if answer is None]
        earlier = await self._found(missed, self._database.read_after_write)
        return [
            answer or _looked_up(each, earlier.get(each.job.id))
            for each, answer in zip(transitions, saved, strict=True)
        ]

    async def _found(self, job_ids: Sequence[UUID], read: Read) -> Mapping[UUID, Job]:
        if not job_ids:
            return {}
        rows = await read(self._finding.statement, self._finding.bound(job_ids))
        return self._finding.found(rows)


def _saved(job: Job, row: Sequence[Any] | None) -> Saved | None:
    if row is None or row[0] != job.id:
        return None
    return Saved(job=as_the_row_says(job, row[2], row[3], row[4]))


def _looked_up(transition: Transition, row: Job | None) -> SaveAnswer:
    if row is not None and row.fence == transition.job.fence:
        return Saved(job=row)
    return Stale(job_id=transition.job.id)
