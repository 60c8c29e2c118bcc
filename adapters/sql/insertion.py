"""New jobs: keys first, then the jobs that won theirs, their notices and their tags."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from attrs import frozen
from sqlalchemy import CTE, ColumnElement, Row, Select, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import (
    Chain,
    Dialect,
    Echo,
    Head,
    Incoming,
    Params,
    Rows,
    ShortWay,
    Values,
    follower,
)
from jobmill.adapters.sql.key_verdicts import Held, Verdicts
from jobmill.adapters.sql.keys import Keys
from jobmill.adapters.sql.mapping import JOB, UNTIED, job_from, new_tags, untied_values_of, values_of
from jobmill.adapters.sql.schema import job_tags, jobs, outbox
from jobmill.adapters.sql.watching import Watching
from jobmill.application.ports.job_repository import NewJob
from jobmill.domain.job import Job
from jobmill.domain.states import JobState, Target


class KeysMoved(Exception):
    """A key that was read as free is taken by now: undo, and read again."""


@frozen(kw_only=True)
class Insertion:
    """The statements that store new jobs, for whoever has a connection and a transaction.

    ``_plain`` stores jobs that have neither tags nor ties, as most have none; ``_tagged`` those without ties;
    ``_tied`` stores any.
    """

    _plain: Chain
    _tagged: Chain
    _tied: Chain
    _short: ShortWay | None
    _keys: Keys
    _watching: Watching
    _new: Incoming
    _new_tied: Incoming

    @classmethod
    @lru_cache(maxsize=8)
    def on(cls, dialect: Dialect, *, attended: bool) -> "Insertion":
        """Build the statements; ``attended`` as in ``Adding.on``."""
        new = dialect.incoming("new", {column.name: column.type for column in UNTIED})
        new_tied = dialect.incoming("new", {column.name: column.type for column in (*JOB, jobs.c.watched)})
        head = head_of(dialect, new)
        notices = Echo(table=outbox, source=partial(notices_of, dialect, attended))
        return cls(
            plain=dialect.chain(head, echoes=[notices]),
            tagged=dialect.chain(head, follower(dialect, job_tags), echoes=[notices]),
            tied=dialect.chain(head_of(dialect, new_tied), follower(dialect, job_tags), echoes=[notices]),
            short=dialect.storing(attended=attended),
            keys=Keys.on(dialect),
            watching=Watching.on(dialect),
            new=new,
            new_tied=new_tied,
        )

    async def run(
        self, connection: AsyncConnection, units: Sequence[Sequence[NewJob]]
    ) -> tuple[Verdicts, Sequence[Row[Any]]]:
        """Store what the keys allow, and return the verdicts with the id and stamp of each job stored.

        Raises:
            KeysMoved: what was written so far has to be undone.
        """
        found = await self._watching.run(connection, units)
        names = sorted({(claim.scope, claim.key) for unit in units for new in unit for claim in new.keys})
        held = _by_name(await self._keys.held(connection, names)) if names else {}
        verdicts = Verdicts.on(units, held, found=found)
        if verdicts.free and not await self._keys.insert(connection, verdicts.free):
            raise KeysMoved
        if verdicts.over and not await self._keys.take_over(connection, verdicts.over):
            raise KeysMoved
        made = verdicts.made
        if not made:
            return verdicts, ()
        chain, head, *followers = self.bound(made, tied=any(job.is_tied for job in made))
        return verdicts, await chain.run(connection, head, *followers)

    async def alone(self, database: Database, made: Sequence[Job]) -> Rows:
        """Store jobs without keys and ties by themselves; return rows that begin with the stored ids."""
        way = None if any(job.tags for job in made) else self._short
        if way is not None and await database.hot(*way.bound(made)):
            return [(job.id,) for job in made]
        return await database.link(*self.bound(made, tied=False))

    def bound(
        self, made: Sequence[Job], *, tied: bool
    ) -> tuple[Chain, Params, *tuple[Sequence[Values], ...]]:
        """Return the chain that stores these jobs, and what it is run with.

        Args:
            tied: some of them have ties.
        """
        tags = new_tags(made)
        if tied:
            watches = _watches(made)
            rows = [(*values_of(job), watches.get(job.id)) for job in made]
            return self._tied, self._new_tied.bound(rows), tags
        head = self._new.bound([untied_values_of(job) for job in made])
        if tags:
            return self._tagged, head, tags
        return self._plain, head


def head_of(dialect: Dialect, new: Incoming, *conditions: ColumnElement[bool]) -> Head:
    """Insert the rows handed in, but for those whose id is there; none of them unless the conditions hold."""
    rows = new.rows.c
    return (
        dialect.insert(jobs)
        .from_select(rows.keys(), select(*rows).where(*conditions).order_by(rows.id))
        .on_conflict_do_nothing(index_elements=[jobs.c.id])
        .returning(jobs.c.id, jobs.c.stamp, jobs.c.version, jobs.c.queue, jobs.c.state)
    )


def _watches(made: Sequence[Job]) -> Mapping[UUID, int]:
    """Return those of the jobs that are watched from the beginning, each with a stamp."""
    watched = {job.id: job.stamp for job in made if job.batch is not None}
    return watched | {job.follows: job.stamp for job in made if job.follows is not None}


def notices_of(dialect: Dialect, attended: bool, stored: CTE) -> Select[Any]:
    """Make the outbox rows of those that are queued, each with the job's stamp as its id."""
    job, target = stored.c, literal(Target.QUEUE, outbox.c.target.type)
    rows = (job.stamp, job.id, job.version, job.stamp.label("of"), job.queue, target, dialect.now)
    return select(*rows, literal(attended)).where(job.state == JobState.QUEUED)


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
