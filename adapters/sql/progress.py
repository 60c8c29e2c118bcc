"""Progress in SQL: a row for each job that ever said something, replaced while its run stands."""

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Double, Insert, Integer, Text, select

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Dialect, Incoming, Types
from jobmill.adapters.sql.fences import FENCE, fence_values, stands
from jobmill.adapters.sql.guards import RUNS
from jobmill.adapters.sql.schema import job_progress, jobs
from jobmill.application.ports.progress import ProgressBoard, ProgressReport


@frozen(kw_only=True)
class SqlProgress(ProgressBoard):
    """What the running jobs of one database say of themselves."""

    _database: Database
    _reports: Incoming
    _writing: Insert

    @classmethod
    def on(cls, database: Database) -> "SqlProgress":
        """Build the statement."""
        said: Types = {"attempt": Integer(), "fraction": Double(), "note": Text()}
        reports = database.dialect.incoming("reports", {**FENCE, **said})
        return cls(database=database, reports=reports, writing=_writing(database.dialect, reports))

    async def write(self, reports: Sequence[ProgressReport]) -> None:
        """See ``ProgressBoard``. The job's own row is read and not locked: renewals do not wait for this."""
        if reports:
            rows = [(*fence_values(each.fence), each.attempt, each.fraction, each.note) for each in reports]
            await self._database.write(self._writing, self._reports.bound(rows))


def _writing(dialect: Dialect, reports: Incoming) -> Insert:
    rows = reports.rows
    standing = (
        select(rows.c.job_id, rows.c.attempt, rows.c.fraction, rows.c.note, dialect.now)
        .join_from(rows, jobs, stands(rows))
        .where(RUNS)
        .order_by(rows.c.job_id)  # so that two batches never wait for each other in a circle
    )
    columns: tuple[Any, ...] = tuple(job_progress.c)
    inserted = dialect.insert(job_progress).from_select(columns, standing)
    changed = {name: inserted.excluded[name] for name in ("attempt", "fraction", "note", "reported_at")}
    return inserted.on_conflict_do_update(index_elements=[job_progress.c.job_id], set_=changed)
