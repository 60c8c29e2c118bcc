"""The in-process broker, plagued: what a broker must not do, and what networks do."""

import asyncio

import pytest

from jobmill.adapters.memory import MemoryBroker, MemoryBus
from jobmill.application.errors import BrokerUnavailable
from jobmill.application.ports.message_bus import (
    Parcel,
    PublishOutcome,
)

from tests.unit.adapters.bus_steps import LANE, SECOND, a_bus, a_parcel, ready, sends, takes, texts
from tests.virtual_time import virtually


@virtually
async def test_everything_held_can_come_again() -> None:
    bus = a_bus()
    await sends(bus, "1", "2")
    async with bus.consume(LANE, prefetch=2) as deliveries:
        held = await takes(deliveries, 2)
        bus.redeliver_everything()
        for delivery in held:
            delivery.ack()  # too late: they are on their way again

        assert texts(await takes(deliveries, 2)) == ["1", "2"]


@virtually
async def test_every_message_can_be_doubled_wherever_it_is() -> None:
    bus = a_bus()
    await sends(bus, "held", "ready")
    await sends(bus, "waits", delay=SECOND)
    async with bus.consume(LANE, prefetch=10) as deliveries:
        [held] = await takes(deliveries, 1)
        bus.broker.double_everything()
        held.ack()

        rest = texts(await takes(deliveries, 5))
    assert sorted(rest) == ["held", "ready", "ready", "waits", "waits"]


@virtually
async def test_a_message_can_be_lost() -> None:
    bus = a_bus()
    await sends(bus, "1", "2")

    assert bus.broker.drop(LANE)
    async with bus.consume(LANE, prefetch=1) as deliveries:
        assert texts(await takes(deliveries, 1)) == ["2"]
    assert not bus.broker.drop(LANE)


@virtually
async def test_everything_can_be_lost() -> None:
    bus = a_bus()
    await bus.mark_epoch("e1")
    await sends(bus, "held", "ready")
    await sends(bus, "waits", delay=SECOND)
    async with bus.consume(LANE, prefetch=1) as deliveries:
        [held] = await takes(deliveries, 1)
        bus.broker.lose_everything()
        held.release()
        await asyncio.sleep(2)

        assert await bus.epoch() is None
        assert await ready(bus) == 0
        await sends(bus, "new")
        assert texts(await takes(deliveries, 1)) == ["new"]


@virtually
async def test_a_cut_connection_returns_what_it_held_to_the_others() -> None:
    broker = MemoryBroker(queues=["default"])
    mine, theirs = MemoryBus(broker=broker), MemoryBus(broker=broker)
    await sends(mine, "1", "2")
    async with mine.consume(LANE, prefetch=2) as here, theirs.consume(LANE, prefetch=5) as there:
        held = await takes(here, 2)
        mine.disconnect()
        held[0].ack()

        assert texts(await takes(there, 2)) == ["1", "2"]


@virtually
async def test_a_message_that_woke_one_who_was_cut_off_wakes_the_next() -> None:
    broker = MemoryBroker(queues=["default"])
    mine, theirs = MemoryBus(broker=broker), MemoryBus(broker=broker)
    async with mine.consume(LANE, prefetch=1) as here, theirs.consume(LANE, prefetch=1) as there:
        first, second = asyncio.ensure_future(anext(here)), asyncio.ensure_future(anext(there))
        await asyncio.sleep(1)
        broker.take(a_parcel("1"))
        mine.disconnect()  # in the very turn in which it was woken

        assert (await second).body == b"1"
        assert not first.done()
        first.cancel()


@virtually
async def test_while_the_connection_is_cut_nothing_goes_either_way() -> None:
    bus = a_bus()
    await sends(bus, "1")
    bus.disconnect()

    assert not bus.is_up
    assert await bus.publish([a_parcel("2")]) == [PublishOutcome.REFUSED]
    for question in (bus.depths([LANE]), bus.epoch(), bus.mark_epoch("e")):
        with pytest.raises(BrokerUnavailable):
            await question
    async with bus.consume(LANE, prefetch=1) as deliveries:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(deliveries), 60)


@virtually
async def test_a_subscription_bridges_a_cut() -> None:
    bus = a_bus()
    async with bus.consume(LANE, prefetch=1) as deliveries:
        await sends(bus, "1")
        await takes(deliveries, 1)
        waiting = asyncio.ensure_future(anext(deliveries))
        await asyncio.sleep(1)
        bus.disconnect()
        await asyncio.sleep(1)
        assert not waiting.done()
        bus.reconnect()

        assert (await waiting).body == b"1"


@virtually
async def test_a_subscription_that_is_over_and_answered_is_forgotten() -> None:
    bus = a_bus()
    for _ in range(10):
        async with bus.consume(LANE, prefetch=1):
            pass

    assert len(bus._subscriptions) == 1


@virtually
async def test_an_answer_to_a_publisher_can_be_lost() -> None:
    def unlucky(moment: str, parcel: Parcel) -> PublishOutcome | None:
        return PublishOutcome.UNKNOWN if moment == parcel.body.decode() else None

    bus = MemoryBus(queues=["default"], faults=unlucky)

    outcomes = await bus.publish([a_parcel("before"), a_parcel("after"), a_parcel("fine")])

    assert outcomes == [PublishOutcome.UNKNOWN, PublishOutcome.UNKNOWN, PublishOutcome.CONFIRMED]
    async with bus.consume(LANE, prefetch=2) as deliveries:
        assert texts(await takes(deliveries, 2)) == ["after", "fine"]


@virtually
async def test_a_closed_bus_leaves_no_timer_behind() -> None:
    bus = a_bus()
    await sends(bus, "later", delay=60 * SECOND)
    bus.close()
    await asyncio.sleep(120)

    bus.reconnect()
    assert await ready(bus) == 0
