"""A consumer that only we believe in is replaced, and no other."""

import asyncio
import random
from collections.abc import AsyncIterator

from jobmill.adapters.rabbitmq import Bounds, RabbitBus, RabbitTopology, open_rabbit_bus
from jobmill.adapters.rabbitmq.intake import Intake
from jobmill.adapters.rabbitmq.subscription import Subscription
from jobmill.application.ports.message_bus import Delivery

from tests.integration.rabbitmq.words import LANE, is_seen, parcel, ready, take
from tests.servers.amqp_place import AmqpPlace


async def consuming(deliveries: AsyncIterator[Delivery]) -> Intake:
    """The intake of a subscription, once it consumes."""
    assert isinstance(deliveries, Subscription)
    assert await is_seen(lambda: deliveries.intake is not None and deliveries.intake.could_receive)
    assert deliveries.intake is not None
    return deliveries.intake


async def deafen(intake: Intake) -> None:
    """End the consumer in the broker, and let its intake believe that it goes on."""
    assert intake._channel is not None
    assert intake._tag is not None
    await intake._channel.basic_cancel(intake._tag)


async def look(bus: RabbitBus) -> None:
    connection = bus.consuming.connection
    assert connection is not None
    await bus.watchdog._look(connection)


async def test_a_consumer_that_the_broker_has_forgotten_is_replaced(applied: AmqpPlace) -> None:
    bounds = Bounds(watch_s=0.1)
    async with (
        open_rabbit_bus(
            [applied.url], prefix=applied.prefix, queues=["default"], fraction=random.random, bounds=bounds
        ) as bus,
        bus.consume(LANE, prefetch=2) as deliveries,
    ):
        await deafen(await consuming(deliveries))
        await bus.publish([parcel(b"for the deaf")])

        [delivery] = await take(deliveries, 1)

        assert delivery.body == b"for the deaf"


async def test_one_look_is_not_enough(bus: RabbitBus) -> None:
    """What is ready may be on its way at the moment of a look."""
    async with bus.consume(LANE, prefetch=2) as deliveries:
        intake = await consuming(deliveries)
        await deafen(intake)
        await bus.publish([parcel()])
        assert await ready(bus, 1)

        await look(bus)
        assert not intake.ended.done()

        await look(bus)
        assert intake.ended.done()


async def test_a_consumer_with_full_hands_is_left_alone(bus: RabbitBus) -> None:
    async with bus.consume(LANE, prefetch=1) as deliveries:
        intake = await consuming(deliveries)
        await bus.publish([parcel(b"held"), parcel(b"waits")])
        await take(deliveries, 1)
        assert await ready(bus, 1)

        for _ in range(3):
            await look(bus)

        assert not intake.ended.done()


async def test_a_consumer_beside_an_empty_queue_is_left_alone(bus: RabbitBus) -> None:
    async with bus.consume(LANE, prefetch=1) as deliveries:
        intake = await consuming(deliveries)

        for _ in range(3):
            await look(bus)

        assert not intake.ended.done()


async def test_a_consumer_that_received_between_two_looks_is_left_alone(bus: RabbitBus) -> None:
    async with bus.consume(LANE, prefetch=1) as deliveries:
        intake = await consuming(deliveries)
        await deafen(intake)
        await bus.publish([parcel()])
        assert await ready(bus, 1)
        await look(bus)
        intake._received += 1

        await look(bus)

        assert not intake.ended.done()


async def test_a_queue_made_again_behind_the_consumer_is_consumed(applied: AmqpPlace, bus: RabbitBus) -> None:
    """Deleting ends the consumer; in whatever moment the queue comes back, what is sent then arrives."""
    topology = RabbitTopology([applied.url], prefix=applied.prefix, queues=["default"])
    async with bus.consume(LANE, prefetch=2) as deliveries:
        intake = await consuming(deliveries)
        assert intake._channel is not None
        await intake._channel.queue_delete(f"{applied.prefix}.{LANE}")
        await topology.apply()
        await bus.publish([parcel(b"after")])

        async with asyncio.timeout(40):
            [delivery] = await take(deliveries, 1)

        assert delivery.body == b"after"
