"""A broker of one's own, restarted, killed and starved while it is worked with."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from jobmill.adapters.rabbitmq import Bounds, RabbitBus, RabbitTopology, open_rabbit_bus
from jobmill.application.ports.message_bus import PublishOutcome

from tests.integration.rabbitmq.words import LANE, is_seen, parcel, take
from tests.servers.private_rabbitmq import PrivateRabbit
from tests.servers.waiting import until

BOUNDS = Bounds(connect_s=1.0, publish_s=2.0, reconnect_max_s=0.5)
CONFIRMED = PublishOutcome.CONFIRMED


@asynccontextmanager
async def bus_on(server: PrivateRabbit) -> AsyncGenerator[RabbitBus]:
    await RabbitTopology([server.url], prefix="jobmill", queues=["default"]).apply()
    async with open_rabbit_bus(
        [server.url], queues=["default"], fraction=random.random, bounds=BOUNDS
    ) as bus:
        yield bus


class Load:
    """Publishes numbered parcels without a pause and remembers what it was told."""

    def __init__(self, bus: RabbitBus) -> None:
        self._bus = bus
        self._sent = 0
        self.confirmed: set[bytes] = set()
        self.outcomes: set[PublishOutcome] = set()

    async def run(self) -> None:
        while True:
            bodies = [str(self._sent + number).encode() for number in range(20)]
            self._sent += len(bodies)
            outcomes = await self._bus.publish([parcel(body) for body in bodies])
            self.outcomes.update(outcomes)
            pairs = zip(bodies, outcomes, strict=True)
            self.confirmed |= {body for body, outcome in pairs if outcome is CONFIRMED}
            await asyncio.sleep(0.01)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("crashes", [False, True])
async def test_no_confirmed_parcel_is_missing_after_the_broker_went_down(
    own_rabbitmq: PrivateRabbit, crashes: bool
) -> None:
    async with bus_on(own_rabbitmq) as bus:
        await bus.mark_epoch("first")
        load = Load(bus)
        running = asyncio.ensure_future(load.run())
        assert await is_seen(lambda: len(load.confirmed) > 200)
        await (own_rabbitmq.kill() if crashes else own_rabbitmq.stop())
        before = len(load.confirmed)
        await own_rabbitmq.start()
        assert await is_seen(lambda: len(load.confirmed) > before + 200, within_s=60.0)
        running.cancel()
        await asyncio.wait({running})

        missing = set(load.confirmed)
        async with bus.consume(LANE, prefetch=200) as deliveries:
            while missing:
                [delivery] = await take(deliveries, 1)
                missing.discard(delivery.body)
                delivery.ack()
        assert await bus.epoch() == "first"
        assert PublishOutcome.UNROUTABLE not in load.outcomes


@pytest.mark.timeout(180)
async def test_a_broker_short_of_memory_refuses_while_answers_go_on(own_rabbitmq: PrivateRabbit) -> None:
    async with bus_on(own_rabbitmq) as bus:
        assert await bus.publish([parcel(b"a"), parcel(b"b")]) == [CONFIRMED] * 2
        await own_rabbitmq.control("set_vm_memory_high_watermark", "absolute", "1")

        connection = bus.publishing.connection
        first, second = await bus.publish([parcel()]), await bus.publish([parcel()])
        async with bus.consume(LANE, prefetch=2) as deliveries:
            for delivery in await take(deliveries, 2):
                delivery.ack()
            depth_while_starved = await bus.depths([LANE])
        await own_rabbitmq.control("set_vm_memory_high_watermark", "0.9")

        # The broker tells a connection that it is blocked when it publishes, so the first may be on its way.
        assert first in ([PublishOutcome.UNKNOWN], [PublishOutcome.REFUSED])
        assert second == [PublishOutcome.REFUSED]
        assert bus.publishing.connection is connection
        assert depth_while_starved == {LANE: 0}

        async def goes_on() -> bool:
            return await bus.publish([parcel()]) == [CONFIRMED]

        assert await until(goes_on, within_s=30.0)
