"""New jobs: keys first, then the jobs that won theirs, their notices and their tags."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Row, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.dialect import Chain, Dialect, Incoming, Params, Values, follower
from jobmill.adapters.sql.key_verdicts import Held, Verdicts
from jobmill.adapters.sql.keys import Keys
from jobmill.adapters.sql.mapping import JOB, job_from, new_notice, new_tags, values_of
from jobmill.adapters.sql.schema import job_tags, jobs, outbox
from jobmill.application.ports.job_repository import NewJob
from jobmill.domain.job import Job
from jobmill.domain.states import JobState, Target


class KeysMoved(Exception):
    """A key that was read as free is taken by now: undo, and read again."""


@frozen(kw_only=True)
class Insertion:
    """The statements that store new jobs, for whoever has a connection and a transaction.

    Args:
        chain: stores jobs whose keys are settled.
    """

    chain: Chain
    _keys: Keys
    _new: Incoming

    @classmethod
    def on(cls, dialect: Dialect, *, attended: bool) -> "Insertion":
        """Build the statements; ``attended`` as in ``Adding.on``."""
        new = dialect.incoming("new", {column.name: column.type for column in JOB})
        head = (
            dialect.insert(jobs)
            .from_select([column.name for column in JOB], select(*new.rows.c).order_by(new.rows.c.id))
            .on_conflict_do_nothing(index_elements=[jobs.c.id])
            .returning(jobs.c.id, jobs.c.stamp)
        )
        notices = follower(dialect, outbox, created_at=dialect.now, attended=literal(attended))
        chain = dialect.chain(head, notices, follower(dialect, job_tags))
        return cls(chain=chain, keys=Keys.on(dialect), new=new)

    async def run(
        self, connection: AsyncConnection, units: Sequence[Sequence[NewJob]]
    ) -> tuple[Verdicts, Sequence[Row[Any]]]:
        """Store what the keys allow, and return the verdicts with the id and stamp of each job stored.

        Raises:
            KeysMoved: what was written so far has to be undone.
        """
        names = sorted({(claim.scope, claim.key) for unit in units for new in unit for claim in new.keys})
        held = _by_name(await self._keys.held(connection, names)) if names else {}
        verdicts = Verdicts.on(units, held)
        if verdicts.free and not await self._keys.insert(connection, verdicts.free):
            raise KeysMoved
        if verdicts.over and not await self._keys.take_over(connection, verdicts.over):
            raise KeysMoved
        made = verdicts.made
        return verdicts, await self.chain.run(connection, *self.bound(made)) if made else ()

    def bound(self, made: Sequence[Job]) -> tuple[Params, Sequence[Values], Sequence[Values]]:
        """Return what the chain is run with."""
        queued = [job for job in made if job.state is JobState.QUEUED]
        notices = [new_notice(job.stamp, job, Target.QUEUE) for job in queued]
        return self._new.bound([values_of(job) for job in made]), notices, new_tags(made)


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
