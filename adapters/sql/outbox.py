"""The outbox in SQL: rows by their own id, read with the job as it is now."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import BigInteger, ColumnElement, Delete, Select, Text, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.announcing import Announcing
from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Dialect, Hot, Incoming
from jobmill.adapters.sql.fences import fence_values, stands
from jobmill.adapters.sql.mapping import READ, job_from
from jobmill.adapters.sql.schema import UNATTENDED, jobs, outbox
from jobmill.application.ports.outbox import Notice, Outbox
from jobmill.domain.transition import Fence


@frozen(kw_only=True)
class SqlOutbox(Outbox):
    """The notices of one database."""

    _database: Database
    _without: Incoming
    _reading: Select[Any]
    _unattended: Select[Any]
    _any_unattended: Hot
    _rows: Incoming
    _forgetting: Hot
    _announcing: Announcing

    @classmethod
    def on(cls, database: Database) -> "SqlOutbox":
        """Build the statements."""
        dialect = database.dialect
        without = dialect.incoming("without", {"queue": Text()})
        rows = dialect.incoming("outbox_rows", {"row": BigInteger()})
        return cls(
            database=database,
            without=without,
            reading=_reading(dialect, without),
            unattended=_reading(dialect, without, UNATTENDED),
            any_unattended=dialect.hot(select(outbox.c.id).where(UNATTENDED).limit(1)),
            rows=rows,
            forgetting=dialect.hot(_forgetting(dialect, rows)),
            announcing=Announcing.on(dialect),
        )

    async def pending(
        self,
        *,
        limit: int,
        older_than: timedelta,
        without: Collection[str] = (),
        unattended: bool = False,
    ) -> Sequence[Notice]:
        """See ``Outbox``.

        A row whose version is not the current one is over for good, so a second statement may delete it.
        The next page may then hold more than this one did, so it is read again. Nearly always there is
        nothing that nobody attends, and that is cheap to see.
        """
        if unattended and not await self._database.hot(self._any_unattended, {}, changes=False):
            return []
        bound = self._without.bound([(queue,) for queue in without])
        bound |= {"older_than": older_than, "rows_max": limit}
        reading = self._unattended if unattended else self._reading
        while True:
            page = await self._database.read(reading, bound)
            stale = [row.row for row in page if row.id is None]
            if not stale:
                return [Notice(row=row.row, job=job_from(row), target=row.target) for row in page]
            await self.forget(stale)

    async def forget(self, rows: Sequence[int]) -> None:
        """See ``Outbox``. What a crash brings back is published once more, as if it had come before."""
        if rows:
            bound = self._rows.bound([(row,) for row in rows])
            await self._database.hot(self._forgetting, bound, durably=False)

    async def announce(self, fences: Sequence[Fence], *, rows: Sequence[int]) -> Sequence[Notice | None]:
        """See ``Outbox``."""
        if not fences:
            return []
        calls = [(*fence_values(fence), row) for fence, row in zip(fences, rows, strict=True)]

        async def work(connection: AsyncConnection) -> Sequence[Notice]:
            return await self._announcing.run(connection, calls)

        notices = {notice.row: notice for notice in await self._database.unit(work)}
        return [notices.get(row) for row in rows]


def _reading(dialect: Dialect, without: Incoming, *which: ColumnElement[bool]) -> Select[Any]:
    """Build the page of old rows, each with its job, or with nulls if its version is over."""
    old = (
        select(outbox)
        .where(
            outbox.c.created_at <= dialect.now - bindparam("older_than", type_=SPAN),
            outbox.c.queue.not_in(select(without.rows.c.queue)),
            *which,
        )
        .order_by(outbox.c.created_at, outbox.c.job_id)
        .limit(bindparam("rows_max"))
        .cte("old")
    )
    return (
        select(*READ, old.c.id.label("row"), old.c.target)
        .select_from(old.outerjoin(jobs, stands(old)))
        .order_by(old.c.created_at, old.c.job_id)
    )


def _forgetting(dialect: Dialect, rows: Incoming) -> Delete:
    """Build the deletion; its locks are taken in one order too, as others may forget the same rows."""
    return delete(outbox).where(dialect.locks(rows, outbox.c.id))
