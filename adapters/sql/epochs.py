"""The broker's epoch in SQL: one row, and the refill that walks along the queued jobs."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Select,
    Update,
    Uuid,
    delete,
    exists,
    insert,
    literal,
    not_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Dialect, Hot, Incoming
from jobmill.adapters.sql.guards import WAITS_IN_QUEUE
from jobmill.adapters.sql.kinds import KINDS, kinds_in, merged
from jobmill.adapters.sql.schema import barriers, broker_epoch, jobs, outbox
from jobmill.application.ports.broker_epochs import BrokerEpochs, EpochRecord
from jobmill.domain.states import JobState, Target

_THE_ROW: Final = broker_epoch.c.id == 1
_CURRENT: Final = select(broker_epoch.c.epoch, broker_epoch.c.refilling).where(_THE_ROW)
_CURSOR: Final = select(broker_epoch.c.refilled_to).where(_THE_ROW).with_for_update()


@frozen(kw_only=True)
class SqlEpochs(BrokerEpochs):
    """The epoch record of one database."""

    _database: Database
    _current: Hot
    _ids: Incoming
    _written: Select[Any]
    _filled: Incoming
    _announcing: Update
    _writing: Insert

    @classmethod
    def on(cls, database: Database) -> "SqlEpochs":
        """Build the statements."""
        ids = database.dialect.incoming("ids", {"row": BigInteger()})
        filled = database.dialect.incoming("filled", {"job_id": Uuid(), "row": BigInteger()})
        return cls(
            database=database,
            current=database.dialect.hot(_CURRENT),
            ids=ids,
            written=select(outbox.c.id).join(ids.rows, ids.rows.c.row == outbox.c.id).limit(1),
            filled=filled,
            announcing=_announcing(database.dialect, filled),
            writing=_writing(database.dialect, filled),
        )

    async def current(self) -> EpochRecord:
        """See ``BrokerEpochs``."""
        for epoch, refilling in await self._database.hot(self._current, {}, changes=False):
            return EpochRecord(epoch=epoch, refilling=refilling)
        return EpochRecord(epoch=None, refilling=False)

    async def begin(self, epoch: str) -> None:
        """See ``BrokerEpochs``."""
        begun = {"epoch": epoch, "refilling": True, "refilled_to": None}
        statement = (
            self._database.dialect.insert(broker_epoch)
            .values(id=1, **begun)
            .on_conflict_do_update(index_elements=[broker_epoch.c.id], set_=begun)
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement)
            await connection.execute(delete(barriers))

        await self._database.unit(work)

    async def refill(self, rows: Sequence[int]) -> int:
        """See ``BrokerEpochs``.

        The locked cursor keeps two leaders from filling the same stretch. Where one of the rows is there
        already, an earlier try of this call was carried out and its answer lost.
        """

        async def work(connection: AsyncConnection) -> int:
            cursor = (await connection.execute(_CURSOR)).scalar_one_or_none()
            if (await connection.execute(self._written, self._ids.bound([(row,) for row in rows]))).first():
                return len(rows)
            looked_at = await _next_queued(connection, cursor, len(rows))
            if looked_at:
                filled = self._filled.bound([*zip(looked_at, rows, strict=False)])
                await connection.execute(self._announcing, filled)
                await connection.execute(self._writing, filled)
                await connection.execute(
                    update(broker_epoch).where(_THE_ROW).values(refilled_to=looked_at[-1])
                )
            return len(looked_at)

        return await self._database.unit(work) if rows else 0

    async def finish(self, epoch: str) -> None:
        """See ``BrokerEpochs``."""
        await self._database.write(
            update(broker_epoch).where(_THE_ROW, broker_epoch.c.epoch == epoch).values(refilling=False)
        )


async def _next_queued(connection: AsyncConnection, cursor: UUID | None, limit: int) -> Sequence[UUID]:
    """Return the next queued jobs in the order of their ids, without a look at any other."""
    beyond = true() if cursor is None else jobs.c.id > cursor
    kinds = kinds_in((await connection.execute(KINDS)).all())
    queued = [kind for kind in kinds if kind.state is JobState.QUEUED]
    found: list[UUID] = []
    for ids in merged(
        queued, lambda kind: select(jobs.c.id).where(kind.matches, beyond).order_by(jobs.c.id).limit(limit)
    ):
        page = select(ids.c.id).order_by(ids.c.id).limit(limit)
        found += (await connection.execute(page)).scalars().all()
    return sorted(found)[:limit]


def _announcing(dialect: Dialect, filled: Incoming) -> Update:
    """Build the note that these jobs are announced as of now; it locks them before any is written."""
    return (
        update(jobs)
        .values(announced_at=dialect.now)
        .where(dialect.locks(filled, jobs.c.id), WAITS_IN_QUEUE, not_(_has_row()))
    )


def _has_row() -> ColumnElement[bool]:
    return exists(outbox.c.id).where(
        outbox.c.job_id == jobs.c.id, outbox.c.version == jobs.c.version, outbox.c.stamp == jobs.c.stamp
    )


def _writing(dialect: Dialect, filled: Incoming) -> Insert:
    """Build the rows for those still queued that have none; at whatever version they stand now."""
    target = literal(Target.QUEUE, outbox.c.target.type)
    source = select(
        filled.rows.c.row, jobs.c.id, jobs.c.version, jobs.c.stamp, jobs.c.queue, target, dialect.now, true()
    ).where(
        jobs.c.id == filled.rows.c.job_id,
        dialect.locks(filled, jobs.c.id, joined=True),
        WAITS_IN_QUEUE,
        not_(_has_row()),
    )
    return insert(outbox).from_select([column.name for column in outbox.columns], source)
