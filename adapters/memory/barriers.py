"""Barriers in memory."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import BarrierRow, Tables
from jobmill.application.ports.barriers import Barrier, BarrierRecord, Barriers
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.job import Job
from jobmill.domain.states import JobState, Target
from jobmill.domain.transition import Fence


@frozen(kw_only=True)
class MemoryBarriers(Barriers):
    """The barriers of one in-memory database."""

    database: Database

    async def records(self) -> Sequence[BarrierRecord]:
        """Read them all."""

        def statement(tables: Tables, now: datetime) -> list[BarrierRecord]:
            return [
                BarrierRecord(
                    barrier=row.barrier,
                    is_back=row.seen_at is not None,
                    since=now - (row.seen_at or row.sent_at),
                )
                for row in tables.barriers.values()
            ]

        return await self.database.run("barriers.records", statement)

    async def wanted(
        self, lanes: Sequence[Lane], *, margin: timedelta, without: Collection[str] = ()
    ) -> Sequence[tuple[Lane, datetime]]:
        """Compare the oldest announcement with the oldest row."""

        def statement(tables: Tables, now: datetime) -> list[tuple[Lane, datetime]]:
            found = (
                (lane, _horizon(tables, lane, now) - margin) for lane in lanes if lane.queue not in without
            )
            return [(lane, until) for lane, until in found if _announced_before(tables, lane, until)]

        return await self.database.run("barriers.wanted", statement)

    async def begin(self, barrier: Barrier, *, replaces: UUID | None) -> bool:
        """Compare and set."""

        def statement(tables: Tables, now: datetime) -> bool:
            last = tables.barriers.get(barrier.lane)
            if last is not None and last.barrier.id == barrier.id:
                return True
            if (last.barrier.id if last is not None else None) != replaces:
                return False
            tables.barriers[barrier.lane] = BarrierRow(barrier=barrier, sent_at=now)
            return True

        return await self.database.run("barriers.begin", statement)

    async def came_back(self, barrier: Barrier) -> bool:
        """Note the time, once."""

        def statement(tables: Tables, now: datetime) -> bool:
            last = tables.barriers.get(barrier.lane)
            if last is None or last.barrier.id != barrier.id:
                return False
            last.seen_at = last.seen_at or now
            return True

        return await self.database.run("barriers.came_back", statement)

    async def lost(self, barrier: Barrier, *, after: timedelta, limit: int) -> Sequence[Job]:
        """Look at the lane, if its barrier is back for so long."""

        def statement(tables: Tables, now: datetime) -> list[Job]:
            last = tables.barriers.get(barrier.lane)
            if last is None or last.barrier.id != barrier.id or last.seen_at is None:
                return []
            if last.seen_at > now - after:
                return []
            told = {row.fence for row in tables.outbox.values()}
            judged = _announced_before(tables, barrier.lane, barrier.judges_before)
            found = [job for job in judged if job.fence not in told]
            return sorted(found, key=lambda job: (job.announced_at, job.id))[:limit]

        return await self.database.run("barriers.lost", statement)

    async def went_back(self, fences: Sequence[Fence]) -> None:
        """Write the time outside of the fence."""

        def statement(tables: Tables, now: datetime) -> None:
            for fence in fences:
                job = tables.standing(fence)
                if job is not None and job.state is JobState.QUEUED:
                    tables.jobs[job.id] = job.changed(announced_at=now)

        await self.database.run("barriers.went_back", statement)


def _horizon(tables: Tables, lane: Lane, now: datetime) -> datetime:
    """Everything written before it has left the outbox for the broker."""
    written = (
        row.written_at
        for row in tables.outbox.values()
        if row.target is Target.QUEUE
        and (job := tables.standing(row.fence)) is not None
        and job.queue == lane.queue
    )
    return min(written, default=now)


def _announced_before(tables: Tables, lane: Lane, until: datetime) -> list[Job]:
    return [
        job
        for job in tables.jobs.values()
        if job.state is JobState.QUEUED
        and (job.queue, job.priority) == (lane.queue, lane.priority)
        and job.announced_at is not None
        and job.announced_at < until
    ]
