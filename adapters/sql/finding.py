"""The statement that finds jobs by their ids."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from attrs import frozen
from sqlalchemy import Uuid, select

from jobmill.adapters.sql.dialect import Dialect, Hot, Incoming, Params, Rows
from jobmill.adapters.sql.mapping import READ, job_from
from jobmill.adapters.sql.schema import jobs
from jobmill.domain.job import Job


@frozen(kw_only=True)
class Finding:
    """Any number of ids at once, with one statement text."""

    statement: Hot
    _wanted: Incoming

    @classmethod
    @lru_cache(maxsize=8)
    def on(cls, dialect: Dialect) -> "Finding":
        """Build the statement."""
        wanted = dialect.incoming("wanted", {"job_id": Uuid()})
        statement = select(*READ).where(wanted.among(jobs.c.id))
        return cls(statement=dialect.hot(statement), wanted=wanted)

    def bound(self, job_ids: Sequence[UUID]) -> Params:
        """Return the parameters; an id that comes twice is looked up once."""
        return self._wanted.bound([(job_id,) for job_id in dict.fromkeys(job_ids)])

    def found(self, rows: Rows) -> Mapping[UUID, Job]:
        """Return the jobs by their ids."""
        found = (job_from(row) for row in rows)
        return {job.id: job for job in found}
