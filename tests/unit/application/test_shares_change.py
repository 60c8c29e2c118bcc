"""The number of shares changes while jobs wait: nothing is lost, and nothing is run twice."""

import asyncio

import pytest

from jobmill.application.fair_queues import FairQueues
from jobmill.domain.states import JobState

from tests.unit.application.lanes import takes_a_while
from tests.unit.application.lost import replaced
from tests.world import World


def fair(shares: int) -> FairQueues:
    """One share is a queue that is not fair."""
    return FairQueues(shares={"default": shares} if shares > 1 else {})


async def a_world(shares: int) -> World:
    """One whose broker shows our marker: without it everything would be announced again anyway."""
    world = World(work=takes_a_while, fair=fair(shares))
    await world.node(starts=False).reconciler.step()
    return world


def declare(world: World, shares: int) -> None:
    """Let processes that are made from now on know so many shares; the old lanes stay."""
    world.broker.fair = fair(shares)
    world.broker.add_queue("default")


async def submit(world: World, tenants: int) -> None:
    for tenant in range(tenants):
        await world.submit(tenant=str(tenant), count=3, payload={"s": 1})
    await world.turns()


@pytest.mark.parametrize(("before", "after"), [(1, 8), (2, 8), (1, 32)])
async def test_with_more_shares_all_that_waits_is_found_at_once(before: int, after: int) -> None:
    world = await a_world(before)
    await submit(world, 40)
    declare(world, after)
    world.node(concurrency=20)

    await world.until(lambda: set(world.states()) == {JobState.SUCCEEDED}, within_s=20)

    assert len(world.runs) == 120
    assert replaced(world) == 0


@pytest.mark.parametrize(("before", "after"), [(8, 2), (8, 1), (32, 7)])
async def test_with_fewer_shares_what_is_left_behind_is_announced_once_more(before: int, after: int) -> None:
    world = await a_world(before)
    await submit(world, 40)
    declare(world, after)
    world.node(concurrency=20)

    await world.until(lambda: set(world.states()) == {JobState.SUCCEEDED}, within_s=120)

    assert len(world.runs) == 120
    assert 0 < replaced(world) < 120


@pytest.mark.parametrize("leads", [2, 8])
async def test_processes_that_disagree_for_a_while_lose_and_double_nothing(leads: int) -> None:
    """As in a deployment: an API and a worker know eight shares, another worker two; either of them leads."""
    world = await a_world(8)
    world.node(concurrency=4, leads=leads == 8)
    declare(world, 2)
    world.node(concurrency=4, leads=leads == 2)

    async def load() -> None:
        for tenant in range(150):
            await world.submit(tenant=str(tenant), payload={"s": 5})
            await asyncio.sleep(0.5)

    await load()
    await world.until(lambda: set(world.states()) == {JobState.SUCCEEDED})

    assert len(world.runs) == 150
    assert world.overlaps == []
    assert replaced(world) <= 150
