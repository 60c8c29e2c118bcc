"""Opening the bus: connections in the background, and a look at the topology."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Never

from jobmill.adapters.rabbitmq.addresses import parse_addresses
from jobmill.adapters.rabbitmq.bounds import DEFAULT_BOUNDS, Bounds
from jobmill.adapters.rabbitmq.bus import RabbitBus
from jobmill.adapters.rabbitmq.deadlines import bounded
from jobmill.adapters.rabbitmq.desired import Desired, desired_topology
from jobmill.adapters.rabbitmq.topology import missing
from jobmill.application.errors import BrokerUnavailable, SetupFault
from jobmill.application.fair_queues import NONE_FAIR, FairQueues

#: How often to look whether what is missing was created.
LOOK_AGAIN_S: Final = 5.0


@asynccontextmanager
async def open_rabbit_bus(
    urls: Sequence[str],
    *,
    prefix: str = "jobmill",
    queues: Sequence[str],
    fair: FairQueues = NONE_FAIR,
    fraction: Callable[[], float],
    verify: bool = True,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> AsyncGenerator[RabbitBus]:
    """Open the bus for as long as the block lasts.

    The block is entered when each connection was made or has failed for the first time, with no broker
    reachable as well; ``is_up`` and ``fault`` tell which. From then on the connections come up by themselves.

    Args:
        urls: ``amqp://`` or ``amqps://``, tried in turn.
        prefix: begins the name of everything in the broker.
        queues: the job queues whose topology is looked at.
        fair: those of them whose lanes have shares.
        fraction: chance, uniform in [0, 1).
        verify: after each connect, look whether the topology is there; what is missing is a ``fault``.

    Raises:
        SetupFault: an address cannot be read.
    """
    bus = RabbitBus(parse_addresses(urls), prefix=prefix, bounds=bounds, fraction=fraction)
    _hush_the_library()
    bus.keep(bus.publishing.keep())
    bus.keep(bus.consuming.keep())
    bus.keep(bus.watchdog.keep())
    try:
        await bus.publishing.tried.wait()
        await bus.consuming.tried.wait()
        if verify:
            desired = desired_topology(prefix, queues, fair=fair)
            await _look_once(bus, desired, bounds)
            bus.keep(_keep_looking(bus, desired, bounds))
        yield bus
    finally:
        await bus.close()


async def _keep_looking(bus: RabbitBus, desired: Desired, bounds: Bounds) -> Never:
    while True:
        connection = await bus.consuming.up()
        if await _look_once(bus, desired, bounds):
            await asyncio.wait({connection.closing})
        else:
            await asyncio.sleep(LOOK_AGAIN_S)


async def _look_once(bus: RabbitBus, desired: Desired, bounds: Bounds) -> bool:
    """Note what is missing; return whether all was looked at and is there."""
    connection = bus.consuming.connection
    if connection is None:
        return False
    try:
        look = missing(connection, desired)
        bus.topology_fault = await bounded(look, within_s=bounds.answer_s, what="show its queues")
    except SetupFault as fault:
        bus.topology_fault = fault
    except BrokerUnavailable:
        return False
    return bus.topology_fault is None


def _hush_the_library() -> None:
    """Our own links say once what aiormq logs as an error each time, such as an address without answer."""
    library = logging.getLogger("aiormq")
    if library.level == logging.NOTSET:
        library.setLevel(logging.CRITICAL)
