"""The statement that begins to watch jobs for which new ones wait."""

from collections.abc import Sequence, Set
from typing import Any
from uuid import UUID

from attrs import frozen
from sqlalchemy import BigInteger, Uuid, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from jobmill.adapters.sql.dialect import Dialect, Incoming
from jobmill.adapters.sql.schema import jobs
from jobmill.application.ports.job_repository import NewJob


@frozen(kw_only=True)
class Watching:
    """Marks jobs outside of their fence, so that whoever moves them does not lose by it."""

    _statement: ReturningUpdate[Any]
    _marks: Incoming

    @classmethod
    def on(cls, dialect: Dialect) -> "Watching":
        """Build the statement."""
        marks = dialect.incoming("marks", {"job_id": Uuid(), "watch": BigInteger()})
        mark = marks.rows.c
        statement = (
            update(jobs)
            .values(watched=mark.watch)
            .where(jobs.c.id == mark.job_id, dialect.locks(marks, jobs.c.id, joined=True))
            .returning(jobs.c.id)
        )
        return cls(statement=statement, marks=marks)

    async def run(self, connection: AsyncConnection, units: Sequence[Sequence[NewJob]]) -> Set[UUID]:
        """Watch whom the jobs of these units follow, outside of their own unit; return who of those is there.

        Their rows are locked from here on, so they neither end nor go away before the units are stored.
        """
        marks: dict[UUID, int] = {}
        for unit in units:
            own = {new.job.id for new in unit}
            marks |= {
                new.job.follows: new.job.stamp
                for new in unit
                if new.job.follows is not None and new.job.follows not in own
            }
        if not marks:
            return frozenset()
        ordered = sorted(marks.items(), key=lambda each: each[0].int)
        rows = await connection.execute(self._statement, self._marks.bound(ordered))
        return {row.id for row in rows}
