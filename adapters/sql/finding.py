"""The statement that finds jobs by their ids."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from attrs import frozen
from sqlalchemy import Select, Uuid, select

from jobmill.adapters.sql.dialect import Dialect, Incoming, Params
from jobmill.adapters.sql.mapping import JOB, job_from
from jobmill.adapters.sql.schema import jobs
from jobmill.domain.job import Job


@frozen(kw_only=True)
class Finding:
    """Any number of ids at once, with one statement text."""

    statement: Select[Any]
    _wanted: Incoming

    @classmethod
    def on(cls, dialect: Dialect) -> "Finding":
        """Build the statement."""
        wanted = dialect.incoming("wanted", {"job_id": Uuid()})
        statement = select(*JOB).join_from(jobs, wanted.rows, jobs.c.id == wanted.rows.c.job_id)
        return cls(statement=statement, wanted=wanted)

    def bound(self, job_ids: Sequence[UUID]) -> Params:
        """Return the parameters; an id that comes twice is looked up once."""
        return self._wanted.bound([(job_id,) for job_id in dict.fromkeys(job_ids)])

    def found(self, rows: Sequence[Any]) -> Mapping[UUID, Job]:
        """Return the jobs by their ids."""
        return {row.id: job_from(row) for row in rows}
