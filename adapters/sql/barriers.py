"""Barriers in SQL: a row per lane, and the queued jobs of the lane in the order of their announcement."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    not_,
    select,
    type_coerce,
    update,
)

from jobmill.adapters.sql.column_types import INSTANT, SPAN, Word
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Dialect, Incoming
from jobmill.adapters.sql.fences import FENCE, fence_values, stands
from jobmill.adapters.sql.guards import WAITS_IN_QUEUE
from jobmill.adapters.sql.mapping import READ, job_from
from jobmill.adapters.sql.schema import IS_QUEUED, barriers, jobs, outbox
from jobmill.application.ports.barriers import Barrier, BarrierRecord, Barriers
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.job import Job
from jobmill.domain.states import Priority, Target
from jobmill.domain.transition import Fence

#: So many of the oldest outbox rows are looked at; a queue that is not among them has only younger ones.
_ROWS_MAX: Final = 1_000


@frozen(kw_only=True)
class SqlBarriers(Barriers):
    """The barriers of one database."""

    _database: Database
    _lanes: Incoming
    _without: Incoming
    _wanting: Select[Any]
    _fences: Incoming
    _moving: Update

    @classmethod
    def on(cls, database: Database) -> "SqlBarriers":
        """Build the statements."""
        dialect = database.dialect
        lanes = dialect.incoming("lanes", {"queue": Text(), "priority": Word(Priority)})
        without = dialect.incoming("without", {"queue": Text()})
        fences = dialect.incoming("fences", FENCE)
        return cls(
            database=database,
            lanes=lanes,
            without=without,
            wanting=_wanting(dialect, lanes, without),
            fences=fences,
            moving=update(jobs)
            .values(announced_at=dialect.now)
            .where(stands(fences.rows), dialect.locks(fences, jobs.c.id, joined=True), WAITS_IN_QUEUE),
        )

    async def records(self) -> Sequence[BarrierRecord]:
        """See ``Barriers``."""
        since = type_coerce(self._now - func.coalesce(barriers.c.seen_at, barriers.c.sent_at), SPAN)
        return [
            BarrierRecord(
                barrier=Barrier(
                    id=row.id,
                    lane=Lane(queue=row.queue, priority=row.priority),
                    judges_before=row.judges_before,
                ),
                is_back=row.seen_at is not None,
                since=row.since,
            )
            for row in await self._database.read(select(barriers, since.label("since")))
        ]

    async def wanted(
        self, lanes: Sequence[Lane], *, margin: timedelta, without: Collection[str] = ()
    ) -> Sequence[tuple[Lane, datetime]]:
        """See ``Barriers``."""
        bound = self._lanes.bound([(lane.queue, lane.priority) for lane in lanes])
        bound |= self._without.bound([(queue,) for queue in without])
        rows = await self._database.read(self._wanting, bound | {"margin": margin})
        return [(Lane(queue=row.queue, priority=row.priority), row.judges_before) for row in rows]

    async def begin(self, barrier: Barrier, *, replaces: UUID | None) -> bool:
        """See ``Barriers``. A row that is there gives way only to the one who knows it."""
        lane = {"queue": barrier.lane.queue, "priority": barrier.lane.priority}
        new = {
            "id": barrier.id,
            "judges_before": barrier.judges_before,
            "sent_at": self._now,
            "seen_at": None,
        }
        if replaces is None:
            inserted = self._database.dialect.insert(barriers).values(**lane, **new)
            # A row of mine was written by an earlier try of this call.
            statement = inserted.on_conflict_do_update(
                index_elements=[barriers.c.queue, barriers.c.priority],
                set_={"id": inserted.excluded.id},
                where=barriers.c.id == inserted.excluded.id,
            ).returning(barriers.c.id)
            return bool(await self._database.write(statement))
        known = barriers.c.id.in_([replaces, barrier.id])
        change = update(barriers).values(**new).where(_is_lane(barrier.lane), known)
        return bool(await self._database.write(change.returning(barriers.c.id)))

    async def came_back(self, barrier: Barrier) -> bool:
        """See ``Barriers``."""
        statement = (
            update(barriers)
            .values(seen_at=func.coalesce(barriers.c.seen_at, self._now))
            .where(_is_lane(barrier.lane), barriers.c.id == barrier.id)
            .returning(barriers.c.id)
        )
        return bool(await self._database.write(statement))

    async def lost(self, barrier: Barrier, *, after: timedelta, limit: int) -> Sequence[Job]:
        """See ``Barriers``. With the lane spelled out, an index gives its jobs in their order."""
        told = exists(outbox.c.id).where(
            outbox.c.job_id == jobs.c.id, outbox.c.version == jobs.c.version, outbox.c.stamp == jobs.c.stamp
        )
        is_back = exists(barriers.c.id).where(
            _is_lane(barrier.lane),
            barriers.c.id == barrier.id,
            barriers.c.seen_at <= self._now - bindparam("after", type_=SPAN),
        )
        statement = (
            select(*READ)
            .where(
                IS_QUEUED,
                jobs.c.queue == barrier.lane.queue,
                jobs.c.priority == barrier.lane.priority,
                jobs.c.announced_at < barrier.judges_before,
                not_(told),
                is_back,
            )
            .order_by(jobs.c.announced_at)
            .limit(limit)
        )
        return [job_from(row) for row in await self._database.read(statement, {"after": after})]

    async def went_back(self, fences: Sequence[Fence]) -> None:
        """See ``Barriers``."""
        if fences:
            bound = self._fences.bound([fence_values(fence) for fence in fences])
            await self._database.write(self._moving, bound)

    @property
    def _now(self) -> ColumnElement[datetime]:
        return self._database.dialect.now


def _is_lane(lane: Lane) -> ColumnElement[bool]:
    return and_(barriers.c.queue == lane.queue, barriers.c.priority == lane.priority)


def _wanting(dialect: Dialect, lanes: Incoming, without: Incoming) -> Select[Any]:
    """Build the comparison of each lane's oldest announcement with the oldest rows of the outbox."""
    left_out = select(without.rows.c.queue)
    oldest = (
        select(outbox.c.queue, outbox.c.target, outbox.c.created_at)
        .where(outbox.c.queue.not_in(left_out))
        .order_by(outbox.c.created_at, outbox.c.job_id)
        .limit(_ROWS_MAX)
        .cte("oldest")
    )
    lane = lanes.rows.c
    own = (
        select(func.min(oldest.c.created_at))
        .where(oldest.c.queue == lane.queue, oldest.c.target == Target.QUEUE)
        .scalar_subquery()
    )
    is_cut = select(func.count()).select_from(oldest).scalar_subquery() == _ROWS_MAX
    others = case((is_cut, select(func.max(oldest.c.created_at)).scalar_subquery()), else_=dialect.now)
    announced = (
        select(func.min(jobs.c.announced_at))
        .where(IS_QUEUED, jobs.c.queue == lane.queue, jobs.c.priority == lane.priority)
        .scalar_subquery()
    )
    horizon = type_coerce(func.coalesce(own, others) - bindparam("margin", type_=SPAN), INSTANT)
    each = (
        select(lane.queue, lane.priority, horizon.label("judges_before"), announced.label("announced"))
        .where(lane.queue.not_in(left_out))
        .cte("each_lane")
    )
    return select(each.c.queue, each.c.priority, each.c.judges_before).where(
        each.c.announced < each.c.judges_before
    )
