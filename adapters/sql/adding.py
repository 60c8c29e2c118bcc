"""New jobs on connections of our own: one statement as a rule, a short transaction where keys are held."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Rows
from jobmill.adapters.sql.finding import Finding
from jobmill.adapters.sql.fresh_keys import FreshKeys
from jobmill.adapters.sql.insertion import Insertion, KeysMoved
from jobmill.adapters.sql.key_verdicts import Verdicts
from jobmill.application.errors import StorageRefused, StorageUnavailable
from jobmill.application.ports.job_repository import AddAnswer, NewJob, Stored
from jobmill.domain.job import Job

#: How often the keys are read again because others took one in between.
ROUNDS: Final = 10
KEYS_MOVE: Final = "idempotency keys of the request change hands all the time"


@frozen(kw_only=True)
class Adding:
    """The ways by which jobs come into the database."""

    _database: Database
    _insertion: Insertion
    _fresh: FreshKeys | None
    _finding: Finding

    @classmethod
    def on(cls, database: Database, *, attended: bool = True) -> "Adding":
        """Build the statements.

        Args:
            attended: the notices are published by whoever writes them; False leaves them to the leader.
        """
        dialect = database.dialect
        return cls(
            database=database,
            insertion=Insertion.on(dialect, attended=attended),
            fresh=FreshKeys.on(dialect, attended=attended),
            finding=Finding.on(dialect),
        )

    async def add(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        """See ``JobRepository``."""
        news = [new for unit in units for new in unit]
        if any(new.keys or new.job.is_tied for new in news):
            if await self._add_fresh(news):
                return [[Stored(job=new.job) for new in unit] for unit in units]
            return await self._add_in_steps(units)
        made = [new.job for new in news]
        rows = await self._insertion.alone(self._database, made) if made else ()
        stored = await self._stored(made, rows)
        return [[Stored(job=stored[new.job.id]) for new in unit] for unit in units]

    async def _add_fresh(self, news: Sequence[NewJob]) -> bool:
        """Store them by one statement, if that can be; False where somebody has a key, or had one first.

        What is there then of the jobs is found by the steps, as after a call that was cut off.
        """
        whole = None if self._fresh is None else self._fresh.bound(news)
        if whole is None:
            return False
        try:
            return len(await self._database.hot(*whole)) == len(news)
        except StorageRefused:
            return False

    async def _add_in_steps(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        async def work(connection: AsyncConnection) -> tuple[Verdicts, Sequence[Row[Any]]]:
            return await self._insertion.run(connection, units)

        for _ in range(ROUNDS):
            try:
                verdicts, rows = await self._database.unit(work)
            except KeysMoved:
                continue
            return verdicts.answers(await self._stored(verdicts.made, rows))
        raise StorageUnavailable(KEYS_MOVE)

    async def _stored(self, made: Sequence[Job], rows: Rows) -> Mapping[UUID, Job]:
        """Return the jobs as they stand: one that was there is from an earlier try, and may have moved on."""
        stored = {job.id: job for job in made}
        missed = list(stored.keys() - {row[0] for row in rows})
        if missed:
            found = await self._database.read_after_write(
                self._finding.statement, self._finding.bound(missed)
            )
            stored |= self._finding.found(found)
        return stored
