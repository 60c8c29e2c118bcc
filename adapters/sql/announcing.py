"""A further notice for a queued job, without a new version of it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from attrs import frozen
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Insert,
    Select,
    Update,
    and_,
    exists,
    insert,
    literal,
    not_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.dialect import Dialect, Incoming, Values
from jobmill.adapters.sql.fences import FENCE, stands
from jobmill.adapters.sql.guards import WAITS_IN_QUEUE
from jobmill.adapters.sql.mapping import READ, job_from
from jobmill.adapters.sql.schema import jobs, outbox
from jobmill.application.ports.outbox import Notice
from jobmill.domain.states import Target


@frozen(kw_only=True)
class Announcing:
    """Three statements of one transaction. Where the row is there already nothing is written again."""

    _calls: Incoming
    _counting: Update
    _writing: Insert
    _reading: Select[Any]

    @classmethod
    @lru_cache(maxsize=8)
    def on(cls, dialect: Dialect) -> "Announcing":
        """Build the statements."""
        calls = dialect.incoming("calls", {**FENCE, "row": BigInteger()})
        return cls(
            calls=calls,
            counting=_counting(dialect, calls),
            writing=_writing(dialect, calls),
            reading=select(*READ, outbox.c.id.label("row")).select_from(
                calls.rows.join(jobs, stands(calls.rows)).join(outbox, outbox.c.id == calls.rows.c.row)
            ),
        )

    async def run(self, connection: AsyncConnection, calls: Sequence[Values]) -> Sequence[Notice]:
        """Announce; each call is a fence and the id of the row to be written."""
        bound = self._calls.bound(calls)
        await connection.execute(self._counting, bound)
        await connection.execute(self._writing, bound)
        rows = (await connection.execute(self._reading, bound)).all()
        return [Notice(row=row.row, job=job_from(row), target=Target.QUEUE) for row in rows]


def _is_wanted(calls: CTE) -> ColumnElement[bool]:
    """The job waits at the version that was seen, and the row is not yet there."""
    written = exists(outbox.c.id).where(outbox.c.id == calls.c.row)
    return and_(stands(calls), WAITS_IN_QUEUE, not_(written))


def _counting(dialect: Dialect, calls: Incoming) -> Update:
    return (
        update(jobs)
        .values(announced_at=dialect.now, announces=jobs.c.announces + 1)
        .where(_is_wanted(calls.rows), dialect.locks(calls, jobs.c.id, joined=True))
    )


def _writing(dialect: Dialect, calls: Incoming) -> Insert:
    target = literal(Target.QUEUE, outbox.c.target.type)
    source = select(
        calls.rows.c.row, jobs.c.id, jobs.c.version, jobs.c.stamp, jobs.c.queue, target, dialect.now, true()
    ).where(_is_wanted(calls.rows))
    return insert(outbox).from_select([column.name for column in outbox.columns], source)
