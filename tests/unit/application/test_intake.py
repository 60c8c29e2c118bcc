"""A lane whose reading ends by a fault of ours: said, and read again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from jobmill.application.ports.message_bus import Delivery, Lane
from jobmill.domain.states import JobState

from tests.nodes import Node
from tests.unit.application.lanes import takes_a_while
from tests.unit.application.lost import LANE
from tests.world import World


@pytest.fixture
async def world() -> World:
    return World(work=takes_a_while)


def break_the_reading(node: Node, *, times: int, error: BaseException | None = None) -> list[float]:
    """Let so many readings of the lane end at their first step; when each of them began."""
    began: list[float] = []
    whole = node.bus.consume

    @asynccontextmanager
    async def consume(lane: Lane, *, prefetch: int) -> AsyncGenerator[AsyncIterator[Delivery]]:
        async with whole(lane, prefetch=prefetch) as deliveries:
            if lane == LANE:
                began.append(asyncio.get_running_loop().time())
            yield _broken(error) if lane == LANE and len(began) <= times else deliveries

    node.bus.consume = consume  # type: ignore[method-assign]
    return began


async def _broken(error: BaseException | None) -> AsyncGenerator[Delivery]:
    if error is not None:
        raise error
    no_delivery: tuple[Delivery, ...] = ()
    for delivery in no_delivery:
        yield delivery


@pytest.mark.parametrize("error", [None, RuntimeError("a bug")])
async def test_a_lane_that_is_no_longer_read_is_read_again(world: World, error: Exception | None) -> None:
    node = world.node(starts=False)
    break_the_reading(node, times=1, error=error)
    node.start()
    job = await world.submit(payload={"s": 0})

    await world.until(lambda: world.job(job).state is JobState.SUCCEEDED, within_s=3)

    [said] = [fields for name, fields in node.notes.events if name == "lane is no longer read"]
    assert said["lane"] == "default.normal"
    assert ("a bug" in str(said["reason"])) is (error is not None)


async def test_the_pauses_grow_up_to_a_minute(world: World) -> None:
    node = world.node(starts=False)
    began = break_the_reading(node, times=1_000, error=RuntimeError("a bug"))
    node.start()

    await world.passes(350)

    pauses = [round(later - sooner) for sooner, later in pairwise(began)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


async def test_a_lane_that_was_closed_is_not_read_again(world: World) -> None:
    node = world.node(starts=False, leads=False)
    began = break_the_reading(node, times=2, error=RuntimeError("a bug"))
    node.start()
    await world.passes(1.5)

    await node.stop()
    await world.passes(60)

    assert len(began) == 2
