"""One tenant's flood beside another's few jobs: by the count of what began, never by time."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final

import pytest

from jobmill.application.fair_queues import NONE_FAIR, FairQueues, share_of
from jobmill.application.ports.message_bus import Delivery, Lane
from jobmill.domain.states import JobState, Priority

from tests.unit.application.lanes import takes_a_while
from tests.world import World

FAIR: Final = FairQueues(shares={"default": 8})
FLOOD: Final = 1_000


async def a_world(fair: FairQueues) -> World:
    """A thousand jobs of one tenant, then five of another that stands in a share of its own."""
    world = World(work=takes_a_while, fair=fair)
    assert share_of("flood", 8) != share_of("trickle", 8)
    await world.submit(count=FLOOD, tenant="flood", payload={"s": 1})
    await world.submit(count=5, tenant="trickle", payload={"s": 1})
    await world.turns()
    return world


def places(world: World, tenant: str) -> list[int]:
    """As the how manieth of all runs those of a tenant began."""
    return [at for at, ran in enumerate(world.runs, start=1) if world.job(ran.job_id).tenant == tenant]


async def test_few_jobs_are_begun_within_the_first_turns_behind_a_flood_of_another_tenant() -> None:
    world = await a_world(FAIR)
    world.node(concurrency=4)

    await world.until(lambda: len(places(world, "trickle")) == 5)

    # Four slots go to whoever is read first; from then on every second one is the trickle's.
    assert max(places(world, "trickle")) <= 4 + 2 * 5
    assert len(places(world, "flood")) > 0


async def test_where_the_queue_is_not_fair_they_wait_for_all_of_it() -> None:
    world = await a_world(NONE_FAIR)
    world.node(concurrency=50)

    await world.until(lambda: len(places(world, "trickle")) == 5)

    assert min(places(world, "trickle")) > FLOOD - 100


async def test_everything_of_everybody_is_run_once() -> None:
    world = await a_world(FAIR)
    for _ in range(2):
        world.node(concurrency=40)

    await world.until(lambda: set(world.states()) == {JobState.SUCCEEDED})

    assert len(world.runs) == FLOOD + 5
    assert (world.ready, world.unanswered) == (0, 0)


async def test_a_retry_comes_back_to_its_share() -> None:
    async def fails(_payload: object, _context: object) -> object:
        raise RuntimeError("no")

    world = World(work=fails, fair=FAIR)
    job = await world.submit(tenant="trickle")
    world.node()

    await world.until(lambda: world.job(job).state is JobState.RETRYING)
    [waiting] = world.broker.ladder.messages

    assert waiting.lane == FAIR.lane_of(job)
    await world.until(lambda: world.job(job).state is JobState.FAILED)
    assert len(world.runs_of(job)) == 3


async def test_what_a_full_worker_sent_back_stays_in_its_share() -> None:
    world = World(work=takes_a_while, fair=FAIR)
    lane = FAIR.lane_of(await world.submit(tenant="trickle", count=40, payload={"s": 5}))
    world.node(concurrency=10)

    await world.passes(3)

    line = world.broker.line(lane)
    assert len(line.ready) > 1  # sent back in smaller parcels
    assert world.ready == len(line.ready)


async def test_priorities_go_before_tenants() -> None:
    world = World(work=takes_a_while, fair=FAIR)
    for tenant in map(str, range(20)):
        await world.submit(count=10, tenant=tenant, priority=Priority.LOW, payload={"s": 1})
    await world.submit(count=15, tenant="urgent", priority=Priority.HIGH, payload={"s": 1})
    await world.turns()
    world.node(concurrency=4)

    await world.until(lambda: len(places(world, "urgent")) == 15)

    assert max(places(world, "urgent")) <= 4 + 15 + 2


@pytest.mark.parametrize(("shares", "parcels"), [(1, 5), (2, 3), (8, 2), (32, 2)])
async def test_what_a_worker_holds_is_bounded_over_all_shares(shares: int, parcels: int) -> None:
    """They have together what a plain lane has alone, but two each: one at work, the next on its way."""
    world = World(fair=FairQueues(shares={"default": shares} if shares > 1 else {}))
    worker = world.node(concurrency=200, starts=False)
    asked: dict[Lane, int] = {}
    whole = worker.bus.consume

    def consume(lane: Lane, *, prefetch: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        asked[lane] = prefetch
        return whole(lane, prefetch=prefetch)

    worker.bus.consume = consume  # type: ignore[assignment, method-assign]
    worker.start()
    await world.passes(1)

    assert {asked.pop(lane) for lane in world.fair.lanes_of("default")} == {parcels}
    assert asked == dict.fromkeys(world.fair.lanes_of("other"), 5)
