"""Lanes with jobs and barriers in them."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from jobmill.application.ports.barriers import Barrier
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.job import Job
from jobmill.domain.states import Priority
from jobmill.testing.builders import HOUR, an_id
from jobmill.testing.contracts.store_world import MANY, StoreWorld

LANE: Final = Lane(queue="email", priority=Priority.NORMAL)
LOW: Final = Lane(queue="email", priority=Priority.LOW)
OTHER: Final = Lane(queue="other", priority=Priority.NORMAL)
NOTHING: Final = timedelta(0)


def a_barrier(before: datetime, *, lane: Lane = LANE, barrier_id: UUID | None = None) -> Barrier:
    return Barrier(id=barrier_id or an_id(), lane=lane, judges_before=before)


async def waiting(world: StoreWorld, *, ago: timedelta = HOUR, lane: Lane = LANE) -> Job:
    """A queued job that was announced a while ago."""
    return await world.queued(
        queue=lane.queue, priority=lane.priority, announced_at=world.now - ago, created_at=world.now - ago
    )


async def came_back(world: StoreWorld, *, before: datetime, lane: Lane = LANE) -> Barrier:
    """A barrier that was sent and is back."""
    barrier = a_barrier(before, lane=lane)
    assert await world.store.barriers.begin(barrier, replaces=None)
    assert await world.store.barriers.came_back(barrier)
    return barrier


async def lost(
    world: StoreWorld, barrier: Barrier, *, after: timedelta = NOTHING, limit: int = MANY
) -> list[UUID]:
    """The jobs that a barrier has shown to have no notice."""
    return [job.id for job in await world.store.barriers.lost(barrier, after=after, limit=limit)]
