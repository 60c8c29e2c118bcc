"""Services run in virtual time here: minutes pass at once, and a test takes the same course every time."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping

import pytest
import pytest_asyncio

from jobmill.adapters.memory import MemoryIngress

from tests.unit.application.bench import Bench
from tests.unit.application.door import Door, door_of
from tests.virtual_time import VirtualTimeLoop
from tests.world import World


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Use the loop whose time jumps."""
    return {"virtual": VirtualTimeLoop}


@pytest_asyncio.fixture
async def world() -> World:
    """A store, a broker, and a client; no worker yet."""
    return World()


@pytest_asyncio.fixture
async def bench(world: World) -> Bench:
    """A worker whose keeper is at work."""
    node = world.node(starts=False)
    node.keeping = asyncio.create_task(node.keeper.keep())  # type: ignore[attr-defined]
    return Bench(world=world, node=node)


@pytest_asyncio.fixture
async def door(world: World) -> AsyncGenerator[Door]:
    made = door_of(world, MemoryIngress())
    await world.turns()
    yield made
    await made.readers.stop()
    assert made.running.done()
    assert made.running.exception() is None
