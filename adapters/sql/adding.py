"""New jobs: keys first, then the jobs that won theirs, their notices and their tags."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Chain, Dialect, Incoming, Values, follower
from jobmill.adapters.sql.finding import Finding
from jobmill.adapters.sql.key_verdicts import Held, Verdicts
from jobmill.adapters.sql.keys import Keys
from jobmill.adapters.sql.mapping import JOB, job_from, new_notice, new_tags, values_of
from jobmill.adapters.sql.schema import job_tags, jobs, outbox
from jobmill.application.errors import StorageUnavailable
from jobmill.application.ports.job_repository import AddAnswer, NewJob, Stored
from jobmill.domain.job import Job
from jobmill.domain.states import JobState, Target

#: How often the keys are read again because others took one in between.
ROUNDS: Final = 10


class _KeysMoved(Exception):
    """A key that was read as free is taken by now: undo, and read again."""


@frozen(kw_only=True)
class Adding:
    """The statements by which jobs come into the database."""

    _database: Database
    _keys: Keys
    _new: Incoming
    _chain: Chain
    _finding: Finding

    @classmethod
    def on(cls, database: Database) -> "Adding":
        """Build the statements."""
        dialect = database.dialect
        new = dialect.incoming("new", {column.name: column.type for column in JOB})
        return cls(
            database=database,
            keys=Keys.on(dialect),
            new=new,
            chain=_inserting(dialect, new),
            finding=Finding.on(dialect),
        )

    async def add(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        """See ``JobRepository``."""
        news = [new for unit in units for new in unit]
        if any(new.keys for new in news):
            return await self._add_keyed(units)
        made = [new.job for new in news]
        rows = await self._database.link(self._chain, *self._bound(made)) if made else ()
        stored = await self._stored(made, rows)
        return [[Stored(job=stored[new.job.id]) for new in unit] for unit in units]

    async def _add_keyed(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        async def work(connection: AsyncConnection) -> tuple[Verdicts, Sequence[Values]]:
            names = sorted({(claim.scope, claim.key) for unit in units for new in unit for claim in new.keys})
            verdicts = Verdicts.on(units, _by_name(await self._keys.held(connection, names)))
            if verdicts.free and not await self._keys.insert(connection, verdicts.free):
                raise _KeysMoved
            if verdicts.over and not await self._keys.take_over(connection, verdicts.over):
                raise _KeysMoved
            made = verdicts.made
            return verdicts, await self._chain.run(connection, *self._bound(made)) if made else ()

        for _ in range(ROUNDS):
            try:
                verdicts, rows = await self._database.unit(work)
            except _KeysMoved:
                continue
            return verdicts.answers(await self._stored(verdicts.made, rows))
        raise StorageUnavailable("idempotency keys of the request change hands all the time")

    def _bound(self, made: Sequence[Job]) -> tuple[Any, Sequence[Values], Sequence[Values]]:
        queued = [job for job in made if job.state is JobState.QUEUED]
        notices = [new_notice(job.stamp, job, Target.QUEUE) for job in queued]
        return self._new.bound([values_of(job) for job in made]), notices, new_tags(made)

    async def _stored(self, made: Sequence[Job], rows: Sequence[Any]) -> Mapping[UUID, Job]:
        """Return the jobs as they stand: one that was there is from an earlier try, and may have moved on."""
        stored = {job.id: job for job in made}
        missed = list(stored.keys() - {row.id for row in rows})
        if missed:
            found = await self._database.read_after_write(
                self._finding.statement, self._finding.bound(missed)
            )
            stored |= self._finding.found(found)
        return stored


def _inserting(dialect: Dialect, new: Incoming) -> Chain:
    head = (
        dialect.insert(jobs)
        .from_select([column.name for column in JOB], select(*new.rows.c).order_by(new.rows.c.id))
        .on_conflict_do_nothing(index_elements=[jobs.c.id])
        .returning(jobs.c.id, jobs.c.stamp)
    )
    return dialect.chain(
        head, follower(dialect, outbox, created_at=dialect.now, attended=true()), follower(dialect, job_tags)
    )


def _by_name(rows: Sequence[Any]) -> Mapping[tuple[str, str], Held]:
    return {
        (row.scope, row.key): Held(
            holder=row.holder,
            fingerprint=row.fingerprint,
            free=row.free,
            job=None if row.id is None else job_from(row),
        )
        for row in rows
    }
