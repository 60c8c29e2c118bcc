"""``Barriers``: which jobs have no notice once a barrier is back."""

import pytest
from attrs import evolve

from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import JobState
from jobmill.testing.builders import HOUR, MINUTE, a_job_that_is, a_stamp, handed_back, started
from jobmill.testing.contracts.lane_world import LOW, OTHER, a_barrier, came_back, lost, waiting
from jobmill.testing.contracts.store_world import StoreWorld


async def test_a_job_that_waits_behind_its_barrier_is_lost(world: StoreWorld) -> None:
    job = await waiting(world)
    await world.forgets_all_notices()
    barrier = await came_back(world, before=world.now)

    assert await lost(world, barrier) == [job.id]


async def test_lost_jobs_come_longest_announced_first_and_as_many_as_asked(world: StoreWorld) -> None:
    late, early, middle = [await waiting(world, ago=ago * MINUTE) for ago in (1, 3, 2)]
    await world.forgets_all_notices()
    barrier = await came_back(world, before=world.now)

    assert await lost(world, barrier, limit=2) == [early.id, middle.id]
    assert await lost(world, barrier) == [early.id, middle.id, late.id]


async def test_nothing_is_lost_while_the_barrier_is_under_way(world: StoreWorld) -> None:
    await waiting(world)
    await world.forgets_all_notices()
    barrier = a_barrier(world.now)
    await world.store.barriers.begin(barrier, replaces=None)

    assert await lost(world, barrier) == []


async def test_nothing_is_lost_before_the_barrier_has_been_back_for_a_while(world: StoreWorld) -> None:
    await waiting(world)
    await world.forgets_all_notices()
    barrier = await came_back(world, before=world.now)

    assert await lost(world, barrier, after=MINUTE) == []


async def test_a_job_announced_after_what_the_barrier_judges_is_not_lost(world: StoreWorld) -> None:
    await waiting(world, ago=MINUTE)
    await world.forgets_all_notices()
    barrier = await came_back(world, before=world.now - HOUR)

    assert await lost(world, barrier) == []


@pytest.mark.parametrize("lane", [LOW, OTHER])
async def test_a_barrier_judges_its_own_lane_only(world: StoreWorld, lane: Lane) -> None:
    await waiting(world)
    await world.forgets_all_notices()
    barrier = await came_back(world, before=world.now, lane=lane)

    assert await lost(world, barrier) == []


async def test_a_job_with_a_row_in_the_outbox_is_not_lost(world: StoreWorld) -> None:
    await waiting(world)
    barrier = await came_back(world, before=world.now)

    assert await lost(world, barrier) == []


async def test_a_row_of_an_earlier_version_is_no_notice(world: StoreWorld) -> None:
    first = await waiting(world)
    running = await world.saved(started(first, now=world.now - HOUR))
    back = await world.saved(handed_back(running, now=world.now - HOUR))
    await world.store.outbox.forget([back.stamp])
    barrier = await came_back(world, before=world.now)

    assert await lost(world, barrier) == [first.id]


async def test_only_queued_jobs_can_be_lost(world: StoreWorld) -> None:
    for state in set(JobState) - {JobState.QUEUED}:
        await world.has(a_job_that_is(state, now=world.now - HOUR, announced_at=world.now - HOUR))
    await world.forgets_all_notices()
    barrier = await came_back(world, before=world.now)

    assert await lost(world, barrier) == []


async def test_a_job_that_was_announced_again_is_not_lost(world: StoreWorld) -> None:
    job = await waiting(world)
    barrier = await came_back(world, before=world.now)
    await world.store.outbox.announce([job.fence], rows=[a_stamp()])
    await world.forgets_all_notices()

    assert await lost(world, barrier) == []


async def test_a_job_whose_notice_went_to_the_end_of_the_line_is_not_lost(world: StoreWorld) -> None:
    moved, stale, left = [await waiting(world) for _ in range(3)]
    barrier = await came_back(world, before=world.now)
    fences = [moved.fence, evolve(stale.fence, stamp=a_stamp())]

    await world.store.barriers.went_back(fences)
    await world.store.barriers.went_back([])
    await world.forgets_all_notices()

    assert set(await lost(world, barrier)) == {stale.id, left.id}
    seen = await world.seen(moved)
    assert evolve(seen, announced_at=moved.announced_at) == moved


async def test_only_queued_jobs_go_to_the_end_of_a_line(world: StoreWorld) -> None:
    job = await world.retrying()

    await world.store.barriers.went_back([job.fence])

    assert await world.seen(job) == job


async def test_a_refilled_job_is_judged_by_its_new_notice(world: StoreWorld) -> None:
    job = await waiting(world)
    await world.forgets_all_notices()
    await world.store.epochs.begin("another life")
    await world.store.epochs.refill([a_stamp(), a_stamp()])
    await world.forgets_all_notices()
    barrier = await came_back(world, before=world.now - MINUTE)

    assert await lost(world, barrier) == []
    assert (await world.seen(job)).announces == 0
