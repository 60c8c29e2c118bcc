"""What the suites ask for, on top of one fixture of the adapter's author.

Import these into the ``conftest.py`` of a folder, beside a fixture ``store_opener``, ``bus_opener`` or
``ingress_opener`` that returns how to open what is under test. They need pytest-asyncio in auto mode.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
import pytest_asyncio

from jobmill.application.ports.message_bus import MessageBus
from jobmill.application.ports.store import Store
from jobmill.testing.contracts.bus_world import BusWorld
from jobmill.testing.contracts.ingress_world import IngressWorld
from jobmill.testing.contracts.store_world import StoreWorld

#: Opens an empty store for one test.
StoreOpener = Callable[[], AbstractAsyncContextManager[Store]]
#: Opens a bus on an empty broker that has the lanes of ``bus_world.QUEUES``, with shares as ``FAIR`` says.
BusOpener = Callable[[], AbstractAsyncContextManager[MessageBus]]
#: Opens an ingress with a producer beside it.
IngressOpener = Callable[[], AbstractAsyncContextManager[IngressWorld]]


@pytest_asyncio.fixture
async def store(store_opener: StoreOpener) -> AsyncGenerator[Store]:
    """An empty store."""
    async with store_opener() as opened:
        yield opened


@pytest.fixture
def world(store: Store) -> StoreWorld:
    """The same store, with the builder's hands."""
    return StoreWorld(store=store)


@pytest_asyncio.fixture
async def bus(bus_opener: BusOpener) -> AsyncGenerator[MessageBus]:
    """A bus on an empty broker that has the lanes of ``QUEUES``, with shares as ``FAIR`` says."""
    async with bus_opener() as opened:
        yield opened


@pytest.fixture
def mail(bus: MessageBus) -> BusWorld:
    """The same bus, with short words for what tests do."""
    return BusWorld(bus=bus)


@pytest_asyncio.fixture
async def strangers(ingress_opener: IngressOpener) -> AsyncGenerator[IngressWorld]:
    """An ingress, with a producer beside it."""
    async with ingress_opener() as opened:
        yield opened
