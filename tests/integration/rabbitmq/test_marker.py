"""The marker of the broker's life: looked at without being taken, replaced without a gap."""

import asyncio

import aiormq
import pytest

from jobmill.adapters.rabbitmq import RabbitBus, open_rabbit_bus
from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.application.errors import BrokerUnavailable

from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until


async def test_a_broker_without_marker_or_queue_says_so(bus: RabbitBus, applied: AmqpPlace) -> None:
    assert await bus.epoch() is None

    async with aiormq.connect(applied.url) as connection:
        await (await connection.channel()).queue_delete(f"{applied.prefix}.epoch")
    assert await bus.epoch() is None
    with pytest.raises(BrokerUnavailable, match="unroutable"):
        await bus.mark_epoch("first")


async def test_looking_at_the_marker_leaves_it(bus: RabbitBus) -> None:
    await bus.mark_epoch("first")

    assert [await bus.epoch() for _ in range(150)] == ["first"] * 150


async def test_a_new_marker_takes_the_place_of_the_old_one(bus: RabbitBus, applied: AmqpPlace) -> None:
    await bus.mark_epoch("first")
    await bus.mark_epoch("second")

    assert await bus.epoch() == "second"

    async def one_is_left() -> bool:
        async with aiormq.connect(applied.url) as connection:
            channel = await connection.channel()
            state = await channel.queue_declare(f"{applied.prefix}.epoch", passive=True)
            return state.message_count == 1

    assert await until(one_is_left, within_s=5.0)


async def test_many_may_look_at_once_while_it_changes(bus: RabbitBus, applied: AmqpPlace) -> None:
    await bus.mark_epoch("first")

    async with open_rabbit_bus(
        [applied.url], prefix=applied.prefix, queues=[], fraction=lambda: 0.1
    ) as other:
        looks = [each.epoch() for each in (bus, other) for _ in range(10)]
        *seen, _ = await asyncio.gather(*looks, bus.mark_epoch("second"))

        assert set(seen) <= {"first", "second"}
        assert await other.epoch() == "second"


async def test_a_marker_that_another_process_holds_is_not_taken_for_lost(
    bus: RabbitBus, applied: AmqpPlace
) -> None:
    await bus.mark_epoch("first")
    held = asyncio.Event()

    async def hold(_: object) -> None:
        held.set()

    async with (
        aiormq.connect(applied.url) as connection,
        open_rabbit_bus(
            [applied.url],
            prefix=applied.prefix,
            queues=[],
            fraction=lambda: 0.1,
            bounds=Bounds(answer_s=0.5),
        ) as impatient,
    ):
        channel = await connection.channel()
        await channel.basic_consume(f"{applied.prefix}.epoch", hold, exclusive=True)
        await held.wait()

        with pytest.raises(BrokerUnavailable):
            await impatient.epoch()
        patient = asyncio.ensure_future(bus.epoch())
        await channel.close()

        assert await patient == "first"
