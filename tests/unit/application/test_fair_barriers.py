"""A barrier goes through all shares of a lane, one after another, before it judges any job of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from attrs import evolve

from jobmill.application.codec.barriers import encode_barrier
from jobmill.application.fair_queues import FairQueues, share_of
from jobmill.application.ports.barriers import Barrier
from jobmill.application.ports.message_bus import Delivery, Lane, Parcel, PublishOutcome, ToLane
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.unit.application.lanes import takes_a_while
from tests.unit.application.lost import ACK_S, LANE, SLACK_S, STEP_S, barriers_sent_by, lose, replaced
from tests.world import World

SHARES: Final = 4
FAIR: Final = FairQueues(shares={"default": SHARES})
#: See the tests of lost notices in a lane without shares.
FOUND_S: Final = SLACK_S + ACK_S + SLACK_S + 3 * STEP_S


@pytest.fixture
async def world() -> World:
    """Handlers that take as long as they are told, and a broker that shows our marker."""
    made = World(work=takes_a_while, fair=FAIR)
    await made.node(starts=False).reconciler.step()
    return made


def lane_of(job: Job) -> Lane:
    return FAIR.lane_of(job)


async def tenants_in_each_share(world: World) -> dict[int, Job]:
    """A queued job for each share, announced."""
    tenants = {share_of(tenant, SHARES): tenant for tenant in map(str, range(100))}
    assert len(tenants) == SHARES
    jobs = {share: await world.submit(tenant=tenant, payload={"s": 1}) for share, tenant in tenants.items()}
    await world.turns()
    return jobs


@pytest.mark.parametrize("share", range(SHARES))
async def test_a_lost_notice_is_found_in_whichever_share_it_was(world: World, share: int) -> None:
    jobs = await tenants_in_each_share(world)
    lose(world, jobs[share], lane=lane_of(jobs[share]))
    world.node()

    await world.until(lambda: world.job(jobs[share]).state is JobState.SUCCEEDED, within_s=FOUND_S + 20)

    assert replaced(world) == 1
    assert len(world.runs_of(jobs[share])) == 1


async def test_it_goes_through_every_share_and_is_back_after_the_last(world: World) -> None:
    world.has(payload="{}")
    await world.passes(SLACK_S + 1)
    worker = world.node()
    sent = barriers_sent_by(worker)

    await world.until(lambda: world.tables.barriers and world.tables.barriers[LANE].seen_at)

    assert [barrier.place for barrier in sent] == [evolve(LANE, share=share) for share in range(SHARES)]
    assert len({barrier.id for barrier in sent}) == 1


async def test_what_waits_in_a_share_that_stands_still_is_not_taken_for_lost(world: World) -> None:
    """Though the barrier has come through a share before it, and others behind it are empty."""
    jobs = await tenants_in_each_share(world)
    worker = world.node(starts=False)
    may_go, whole = asyncio.Event(), worker.bus.consume

    @asynccontextmanager
    async def consume(lane: Lane, *, prefetch: int) -> AsyncGenerator[AsyncIterator[Delivery]]:
        if lane.share == 1:
            await may_go.wait()
        async with whole(lane, prefetch=prefetch) as deliveries:
            yield deliveries

    worker.bus.consume = consume  # type: ignore[method-assign]
    worker.start()
    await world.passes(5 * ACK_S)
    waiting = [share for share, job in jobs.items() if world.job(job).state is JobState.QUEUED]
    assert (waiting, replaced(world)) == ([1], 0)

    may_go.set()
    await world.until(lambda: set(world.states()) == {JobState.SUCCEEDED})

    assert replaced(world) == 0


async def test_one_that_the_broker_does_not_take_onward_is_not_given_up(world: World) -> None:
    worker = world.node(starts=False)
    world.has(payload="{}")
    await world.passes(SLACK_S + 1)
    left = 3

    def refuses(moment: str, parcel: Parcel) -> PublishOutcome | None:
        nonlocal left
        if moment == "before" and parcel.destination == ToLane(lane=evolve(LANE, share=2)) and left:
            left -= 1
            return PublishOutcome.REFUSED
        return None

    worker.bus.faults = refuses
    worker.start()
    await world.until(lambda: world.tables.barriers and world.tables.barriers[LANE].seen_at)

    assert worker.notes.names.count("barrier put back") == 3


async def test_one_in_another_share_than_it_says_proves_nothing(world: World) -> None:
    node = world.node(starts=False)
    barrier = Barrier(
        id=node.entropy.job_id(), lane=LANE, judges_before=world.clock.now(), shares=SHARES, share=SHARES - 1
    )
    await node.store.barriers.begin(barrier, replaces=None)
    strayed = Parcel(
        destination=ToLane(lane=LANE), body=encode_barrier(barrier), content_type="x/y", headers={}
    )
    await node.bus.publish([strayed])
    node.start()

    await world.until(lambda: "barrier from before put away" in node.notes.names)

    assert world.tables.barriers[LANE].seen_at is None


async def test_a_barrier_is_not_lost_while_any_share_has_something_in_it(world: World) -> None:
    """It may be behind that; else a backlog would be judged again and again."""
    chores = world.node(starts=False)
    chores.relaying = asyncio.create_task(chores.relay.run())  # type: ignore[attr-defined]
    await tenants_in_each_share(world)
    await world.passes(SLACK_S + 1)
    await chores.reconciler.step()
    first = world.tables.barriers[LANE].barrier.id
    world.broker.line(LANE).ready.clear()

    for _ in range(round(3 * ACK_S / STEP_S)):
        await chores.reconciler.step()
        await world.passes(STEP_S)

    assert world.tables.barriers[LANE].barrier.id == first
