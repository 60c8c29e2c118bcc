"""Consuming: what is answered is gone, and everything else is for the next one."""

import asyncio
import random
from contextlib import AbstractAsyncContextManager

import aiormq
import pytest

from jobmill.adapters.rabbitmq import RabbitBus, RabbitTopology, open_rabbit_bus
from jobmill.application.ports.message_bus import PublishOutcome

from tests.integration.rabbitmq.words import LANE, QUICK, is_seen, parcel, ready, take
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until


async def fill(bus: RabbitBus, count: int) -> list[bytes]:
    bodies = [str(number).encode() for number in range(count)]
    outcomes = await bus.publish([parcel(body) for body in bodies])
    assert outcomes == [PublishOutcome.CONFIRMED] * count
    return bodies


async def left_over(place: AmqpPlace) -> int:
    """What another process finds in the lane, once all of ours has ended."""
    async with aiormq.connect(place.url) as connection:
        channel = await connection.channel()
        state = await channel.queue_declare(f"{place.prefix}.{LANE}", passive=True)
    return state.message_count or 0


async def test_deliveries_come_in_the_order_in_which_they_were_published(bus: RabbitBus) -> None:
    bodies = await fill(bus, 50)

    async with bus.consume(LANE, prefetch=7) as deliveries:
        received = []
        for _ in bodies:
            delivery = await anext(deliveries)
            received.append(delivery.body)
            delivery.ack()

    assert received == bodies


async def test_no_more_than_the_prefetch_is_held(bus: RabbitBus) -> None:
    await fill(bus, 10)

    async with bus.consume(LANE, prefetch=3) as deliveries:
        held = await take(deliveries, 3)
        assert await ready(bus, 7)

        held[1].ack()
        await take(deliveries, 1)
        assert await ready(bus, 6)


@pytest.mark.parametrize("prefetch", [0, -1])
async def test_holding_without_a_bound_is_refused(bus: RabbitBus, prefetch: int) -> None:
    with pytest.raises(ValueError, match="prefetch"):
        async with bus.consume(LANE, prefetch=prefetch):
            pass


async def test_leaving_puts_back_what_nobody_took(bus: RabbitBus) -> None:
    bodies = await fill(bus, 5)
    async with bus.consume(LANE, prefetch=5) as deliveries:
        [taken] = await take(deliveries, 1)
        assert await ready(bus, 0)

    async with bus.consume(LANE, prefetch=5) as others:
        seen = {delivery.body for delivery in await take(others, 4)}
    assert seen == set(bodies) - {taken.body}


async def test_what_was_handed_out_can_be_answered_after_leaving(bus: RabbitBus, applied: AmqpPlace) -> None:
    await fill(bus, 3)
    async with bus.consume(LANE, prefetch=3) as deliveries:
        first, second, third = await take(deliveries, 3)

    first.ack()
    second.release()
    assert await ready(bus, 1)
    third.ack()
    await bus.close()

    assert await left_over(applied) == 1


async def test_only_the_open_ones_come_again_whatever_the_order_of_the_acks(
    bus: RabbitBus, applied: AmqpPlace
) -> None:
    bodies = await fill(bus, 200)
    async with bus.consume(LANE, prefetch=200) as deliveries:
        held = await take(deliveries, 200)
        open_ones = {delivery.body for delivery in held[3::17]}
        answered = [delivery for delivery in held if delivery.body not in open_ones]
        random.Random(1).shuffle(answered)
        for number, delivery in enumerate(answered):
            delivery.ack()
            if number % 10 == 0:
                await asyncio.sleep(0)  # let some go out, so that several rounds of answers are on the way
    await bus.close()

    assert len(open_ones) + len(answered) == len(bodies)
    async with open_bus(applied) as other, other.consume(LANE, prefetch=200) as again:
        assert await left_over(applied) <= len(open_ones)
        seen = {delivery.body for delivery in await take(again, len(open_ones))}
    assert seen == open_ones


async def test_answers_given_just_before_closing_reach_the_broker(applied: AmqpPlace) -> None:
    async with open_bus(applied) as bus:
        await fill(bus, 200)
        async with bus.consume(LANE, prefetch=200) as deliveries:
            held = await take(deliveries, 200)
            for delivery in held[::2]:
                delivery.ack()
        for delivery in held[1::2]:
            delivery.ack()

    assert await left_over(applied) == 0


async def test_a_second_answer_does_no_harm(bus: RabbitBus) -> None:
    await fill(bus, 2)
    async with bus.consume(LANE, prefetch=1) as deliveries:
        [first] = await take(deliveries, 1)
        first.ack()
        first.ack()
        first.release()
        [second] = await take(deliveries, 1)
        second.ack()

    assert await ready(bus, 0)


async def test_a_caller_that_stops_waiting_takes_nothing_with_it(bus: RabbitBus) -> None:
    async with bus.consume(LANE, prefetch=1) as deliveries:
        waiting = asyncio.ensure_future(anext(deliveries))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        await fill(bus, 1)

        [delivery] = await take(deliveries, 1)
        delivery.ack()
    assert delivery.body == b"0"


async def test_who_still_waits_when_the_block_is_left_is_told_so(bus: RabbitBus) -> None:
    async with bus.consume(LANE, prefetch=1) as deliveries:
        waiting = asyncio.ensure_future(anext(deliveries, None))
        await asyncio.sleep(0)

    assert await waiting is None
    assert [delivery async for delivery in deliveries] == []


async def test_a_queue_deleted_and_made_again_is_consumed_again(
    bus: RabbitBus, applied: AmqpPlace, topology: RabbitTopology, caplog: pytest.LogCaptureFixture
) -> None:
    async with bus.consume(LANE, prefetch=5) as deliveries:
        await fill(bus, 1)
        [before] = await take(deliveries, 1)
        async with aiormq.connect(applied.url) as connection:
            await (await connection.channel()).queue_delete(f"{applied.prefix}.{LANE}")
        # Made again within milliseconds, RabbitMQ 3.10 may confuse the two queues and their consumers.
        assert await is_seen(lambda: "cannot consume" in caplog.text)
        await topology.apply()
        await fill(bus, 1)

        [after] = await take(deliveries, 1)
        before.ack()
        after.ack()
    assert await ready(bus, 0)


async def test_a_queue_that_does_not_exist_yet_is_waited_for(
    amqp: AmqpPlace, topology: RabbitTopology
) -> None:
    async with open_bus(amqp) as bus, bus.consume(LANE, prefetch=1) as deliveries:
        assert await bus.depths([LANE]) == {LANE: None}
        await topology.apply()
        await fill(bus, 1)

        [delivery] = await take(deliveries, 1)
        delivery.ack()


async def test_many_short_blocks_leave_no_channel_behind(bus: RabbitBus) -> None:
    for turn in range(20):
        async with bus.consume(LANE, prefetch=1) as deliveries:
            if turn % 2:
                await fill(bus, 1)
                for delivery in await take(deliveries, 1):
                    delivery.ack()

    connection = bus.consuming.connection
    assert connection is not None

    async def all_closed() -> bool:
        return len(connection.channels) == 0

    assert await until(all_closed, within_s=10.0)


def open_bus(place: AmqpPlace) -> AbstractAsyncContextManager[RabbitBus]:
    return open_rabbit_bus(
        [place.url], prefix=place.prefix, queues=["default"], fraction=random.random, bounds=QUICK
    )
