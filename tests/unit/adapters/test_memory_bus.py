"""The in-process bus where it goes beyond the contract: waits, order, bounds."""

import asyncio

import pytest

from jobmill.adapters.memory import MemoryBroker, MemoryBus
from jobmill.adapters.memory.ladder import MARGIN_S
from jobmill.application.ports.message_bus import (
    Lane,
    Parcel,
    PublishOutcome,
    ToDead,
)
from jobmill.domain.ladder import REACH
from jobmill.domain.states import Priority

from tests.unit.adapters.bus_steps import LANE, SECOND, a_bus, a_parcel, ready, sends, takes, texts
from tests.virtual_time import virtually

# --- receiving ---


@virtually
async def test_giving_up_a_wait_loses_no_message() -> None:
    bus = a_bus()
    async with bus.consume(LANE, prefetch=1) as deliveries:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(deliveries), 1)
        await sends(bus, "1")

        assert texts(await takes(deliveries, 1)) == ["1"]


@virtually
async def test_a_message_that_woke_one_who_gave_up_wakes_the_next() -> None:
    bus = a_bus()
    async with bus.consume(LANE, prefetch=1) as one, bus.consume(LANE, prefetch=1) as other:
        first, second = asyncio.ensure_future(anext(one)), asyncio.ensure_future(anext(other))
        await asyncio.sleep(1)
        bus.broker.take(a_parcel("1"))
        first.cancel()  # in the very turn in which it was woken

        assert (await second).body == b"1"
        assert first.cancelled() or (await asyncio.gather(first, return_exceptions=True))


@virtually
async def test_who_has_no_room_does_not_keep_a_message_from_who_has() -> None:
    bus = a_bus()
    await sends(bus, "1")
    async with bus.consume(LANE, prefetch=1) as full, bus.consume(LANE, prefetch=1) as free:
        await takes(full, 1)
        blocked = asyncio.ensure_future(anext(full))
        await asyncio.sleep(1)
        await sends(bus, "2")

        assert texts(await takes(free, 1)) == ["2"]
        assert not blocked.done()
        blocked.cancel()


@virtually
async def test_leaving_the_block_ends_a_wait_elsewhere() -> None:
    bus = a_bus()
    async with bus.consume(LANE, prefetch=1) as deliveries:
        waiting = asyncio.ensure_future(anext(deliveries))
        await asyncio.sleep(1)

    with pytest.raises(StopAsyncIteration):
        await waiting


@virtually
async def test_after_the_block_nothing_is_received() -> None:
    bus = a_bus()
    async with bus.consume(LANE, prefetch=1) as deliveries:
        pass
    await sends(bus, "1")

    assert [delivery async for delivery in deliveries] == []


@virtually
async def test_released_deliveries_come_first() -> None:
    bus = a_bus()
    await sends(bus, "1", "2", "3")
    async with bus.consume(LANE, prefetch=3) as deliveries:
        first, second, _ = await takes(deliveries, 3)
        await sends(bus, "4")
        second.release()
        first.release()

        assert texts(await takes(deliveries, 2)) == ["1", "2"]


@virtually
async def test_a_second_answer_counts_nothing() -> None:
    bus = a_bus()
    await sends(bus, "1")
    async with bus.consume(LANE, prefetch=1) as deliveries:
        [delivery] = await takes(deliveries, 1)
        delivery.ack()
        delivery.release()

    assert await ready(bus) == 0


@virtually
async def test_thousands_of_messages_pass_in_order_between_many() -> None:
    bus = a_bus()
    got: list[int] = []

    async def receiver() -> None:
        async with bus.consume(LANE, prefetch=3) as deliveries:
            async for delivery in deliveries:
                got.append(int(delivery.body))
                delivery.ack()

    receivers = [asyncio.create_task(receiver()) for _ in range(5)]
    for number in range(3_000):
        await sends(bus, str(number))
    await asyncio.sleep(1)
    for task in receivers:
        task.cancel()

    assert sorted(got) == list(range(3_000))


# --- the ladder, and what does not fit ---


@virtually
async def test_the_ladder_is_never_early_and_late_by_its_margin_alone() -> None:
    bus = a_bus()
    await sends(bus, "long", delay=60 * SECOND)
    await sends(bus, "short", delay=1.5 * SECOND)
    heard: list[tuple[str, float]] = []

    async with bus.consume(LANE, prefetch=2) as deliveries:
        for _ in range(2):
            delivery = await anext(deliveries)
            heard.append((delivery.body.decode(), asyncio.get_running_loop().time()))

    assert heard == [("short", 1.5 + MARGIN_S), ("long", 60.0 + MARGIN_S)]


@virtually
async def test_a_delay_beyond_the_ladder_has_no_queue() -> None:
    bus = a_bus()

    assert await bus.publish([a_parcel("x", delay=REACH + SECOND), a_parcel("x", delay=REACH)]) == [
        PublishOutcome.UNROUTABLE,
        PublishOutcome.CONFIRMED,
    ]
    bus.close()


@virtually
async def test_a_full_lane_refuses() -> None:
    bus = MemoryBus(broker=MemoryBroker(queues=["default"], messages_max=2))

    outcomes = await bus.publish([a_parcel("1"), a_parcel("2"), a_parcel("3")])

    assert outcomes == [PublishOutcome.CONFIRMED, PublishOutcome.CONFIRMED, PublishOutcome.REFUSED]


@virtually
async def test_a_full_ladder_refuses() -> None:
    bus = MemoryBus(broker=MemoryBroker(queues=["default"], messages_max=1))

    outcomes = await bus.publish([a_parcel("1", delay=SECOND), a_parcel("2", delay=SECOND)])

    assert outcomes == [PublishOutcome.CONFIRMED, PublishOutcome.REFUSED]
    bus.close()


@virtually
async def test_the_last_dead_letters_are_kept() -> None:
    bus = MemoryBus(broker=MemoryBroker(queues=["default"], dead_letters_max=2))
    letters = [
        Parcel(destination=ToDead(queue="default"), body=body, content_type="x", headers={})
        for body in (b"1", b"2", b"3")
    ]

    await bus.publish(letters)

    assert [letter.body for letter in bus.broker.dead["default"]] == [b"2", b"3"]


@virtually
async def test_a_queue_can_come_and_go() -> None:
    bus = MemoryBus()
    assert await bus.publish([a_parcel("1")]) == [PublishOutcome.UNROUTABLE]
    async with bus.consume(LANE, prefetch=1) as deliveries:
        waiting = asyncio.ensure_future(anext(deliveries))
        bus.broker.add_queue("default")
        await sends(bus, "2", "3")
        assert (await waiting).body == b"2"
    assert set(bus.broker.lanes) == {Lane(queue="default", priority=priority) for priority in Priority}
    bus.broker.drop_queue("default")

    assert bus.broker.lanes == ()
    assert await bus.publish([a_parcel("4")]) == [PublishOutcome.UNROUTABLE]
    assert await ready(bus) is None
