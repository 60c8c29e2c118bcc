"""Buses over a real broker, and what the tests of this folder say again and again."""

import random
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from jobmill.adapters.rabbitmq import RabbitBus, RabbitTopology, open_rabbit_bus

from tests.integration.rabbitmq.words import QUICK
from tests.servers.amqp_place import AmqpPlace


@pytest.fixture
def topology(amqp: AmqpPlace) -> RabbitTopology:
    """The owner of a topology for the queue ``default`` that nobody has applied yet."""
    return RabbitTopology([amqp.url], prefix=amqp.prefix, queues=["default"])


@pytest_asyncio.fixture
async def applied(amqp: AmqpPlace, topology: RabbitTopology) -> AmqpPlace:
    """A place where the topology stands."""
    await topology.apply()
    return amqp


@pytest_asyncio.fixture
async def bus(applied: AmqpPlace) -> AsyncGenerator[RabbitBus]:
    """An open bus over an applied topology."""
    async with open_rabbit_bus(
        [applied.url], prefix=applied.prefix, queues=["default"], fraction=random.random, bounds=QUICK
    ) as opened:
        yield opened
