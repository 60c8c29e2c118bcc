"""Receiving within a bounded number of slots, and sending back what finds none."""

import asyncio
from collections.abc import Awaitable

import pytest

from jobmill.domain.states import JobState, Priority

from tests.unit.application.lanes import active, sizes, takes_a_while
from tests.world import World


@pytest.fixture
async def world() -> World:
    return World(work=takes_a_while)


async def test_jobs_run_and_their_parcel_is_acknowledged(world: World) -> None:
    world.node()
    await world.passes(1)  # a new broker is marked before
    await world.submit(count=5, payload={"s": 1})

    await world.passes(2)

    assert world.states() == 5 * [JobState.SUCCEEDED]
    assert (world.ready, world.unanswered, len(world.tables.outbox)) == (0, 0, 0)


async def test_no_more_run_than_there_are_slots(world: World) -> None:
    node = world.node(concurrency=7)
    await world.submit(count=30, payload={"s": 3})

    highest = 0
    for _ in range(40):
        await world.passes(0.5)
        highest = max(highest, active(world))
        assert active(world) <= node.consumer.running <= 7

    assert highest == 7
    assert world.states() == 30 * [JobState.SUCCEEDED]
    assert node.consumer.running == 0


async def test_no_more_are_claimed_than_there_are_slots(world: World) -> None:
    world.node(concurrency=7)
    await world.submit(count=30)
    await world.passes(0.5)

    assert world.states().count(JobState.PROCESSING) == 7


async def test_a_parcel_is_not_acknowledged_before_its_last_job_is_over(world: World) -> None:
    world.node()
    await world.submit(count=2, payload={"s": 5})
    await world.passes(4.9)
    assert world.unanswered == 1

    await world.passes(0.2)
    assert world.unanswered == 0


async def test_nothing_is_acknowledged_before_its_outcome_is_committed(world: World) -> None:
    node = world.node()
    await world.submit(payload={"s": 5})

    def saves_hang(moment: str) -> Awaitable[None] | None:
        return asyncio.sleep(20) if moment == "before jobs.save" else None

    await world.passes(1)
    node.cable.trouble = saves_hang
    await world.passes(20)
    assert world.states() == [JobState.PROCESSING]
    assert world.unanswered == 1

    await world.passes(6)
    assert world.states() == [JobState.SUCCEEDED]
    assert world.unanswered == 0


async def test_nothing_is_acknowledged_before_its_claim_is_committed(world: World) -> None:
    node = world.node(leads=False)

    def claims_hang(moment: str) -> Awaitable[None] | None:
        return asyncio.sleep(100) if moment == "before jobs.save" else None

    node.cable.trouble = claims_hang
    await world.submit()
    await world.passes(60)

    assert world.states() == [JobState.QUEUED]
    assert world.unanswered == 1


async def test_past_the_ack_deadline_the_lease_alone_carries_a_long_job(world: World) -> None:
    world.node()
    await world.submit(payload={"s": 100})
    await world.passes(29)
    assert world.unanswered == 1

    await world.passes(2)
    assert world.unanswered == 0
    assert world.states() == [JobState.PROCESSING]


async def test_slow_jobs_that_come_singly_fill_all_slots_and_no_more(world: World) -> None:
    """Else the prefetch, which counts parcels and is small, would be all that runs."""
    node = world.node(concurrency=20)
    for _ in range(25):
        await world.submit()
    await world.passes(1)

    assert active(world) == 20
    assert node.consumer.running == 20
    assert world.ready + world.unanswered >= 5


async def test_a_parcel_that_is_not_claimed_whole_is_not_left_to_leases(world: World) -> None:
    """The lane may send no more, slots are free, and the claim of the last job hangs."""
    node = world.node(concurrency=10, leads=False)
    await world.submit(payload={"s": 100})
    await world.passes(0.5)

    def claims_hang(moment: str) -> Awaitable[None] | None:
        return asyncio.sleep(100) if moment == "before jobs.save" else None

    node.cable.trouble = claims_hang
    await world.submit(payload={"s": 100})
    await world.passes(20)

    assert world.states().count(JobState.QUEUED) == 1
    assert world.unanswered >= 1


async def test_what_finds_no_slot_within_a_second_goes_back_in_parcels_of_at_most_half(world: World) -> None:
    world.node(concurrency=3)
    await world.submit(count=50)
    await world.passes(0.95)
    assert sizes(world) == []

    await world.passes(0.1)
    assert sizes(world) == [25, 22]


async def test_idle_workers_get_what_others_send_back(world: World) -> None:
    world.node(concurrency=3)
    await world.submit(count=50)
    await world.passes(0.5)
    world.node(concurrency=60)

    await world.passes(2)

    assert active(world) == 50


async def test_a_full_worker_leaves_the_lanes_and_comes_back_when_a_slot_is_free(world: World) -> None:
    node = world.node(concurrency=2)
    await world.submit(count=4, payload={"s": 10})
    await world.passes(1.5)
    assert not node.consumer.is_receiving
    assert sum(sizes(world)) == 2

    await world.passes(9)
    assert active(world) == 2
    await world.passes(10)
    assert world.states() == 4 * [JobState.SUCCEEDED]
    assert node.consumer.is_receiving


async def test_a_full_worker_with_nothing_in_hand_stays_at_its_lanes(world: World) -> None:
    node = world.node(concurrency=2)
    await world.submit(count=2)

    await world.passes(5)

    assert node.consumer.is_receiving


async def test_prefetch_counts_parcels(world: World) -> None:
    """Two for ten slots; what does not fit stays in the broker."""
    world.node(concurrency=10, leads=False)
    for _ in range(5):
        await world.submit()
    world.client.bus.disconnect()
    await world.passes(0.1)
    world.broker.lose_everything()
    busy = world.node(concurrency=1, leads=False)
    await world.submit(count=1)
    world.client.bus.reconnect()
    for _ in range(8):
        await world.submit(count=2)
    await world.turns()

    held = [each for each in world.broker.held if each.message.headers["jobs"] == 2]
    assert busy.is_alive
    assert len(held) <= 2 * 2


async def test_urgent_jobs_go_first(world: World) -> None:
    world.node(concurrency=1)
    await world.submit(payload={"s": 0.9})
    await world.passes(0.1)
    for priority in (Priority.LOW, Priority.NORMAL, Priority.HIGH):
        await world.submit(priority=priority, payload={"s": 0.01})

    await world.until(lambda: len(world.runs) == 4)

    order = [world.job(ran.job_id).priority for ran in world.runs[1:]]
    assert order == [Priority.HIGH, Priority.NORMAL, Priority.LOW]


async def test_a_stale_notice_is_acknowledged_and_runs_nothing(world: World) -> None:
    world.node()
    await world.submit(payload={"s": 1})
    await world.passes(0.5)
    world.broker.double_everything()
    await world.passes(5)

    assert len(world.runs) == 1
    assert (world.ready, world.unanswered) == (0, 0)
