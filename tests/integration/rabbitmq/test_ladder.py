"""Delays: never early, never behind a longer one, and back to the lane they belong to."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from jobmill.adapters.rabbitmq import RabbitBus
from jobmill.adapters.rabbitmq.letters import Writer
from jobmill.adapters.rabbitmq.names import Names
from jobmill.adapters.rabbitmq.wire import Message
from jobmill.application.ports.message_bus import Lane, PublishOutcome, ToLadder
from jobmill.domain.ladder import REACH
from jobmill.domain.states import Priority

from tests.integration.rabbitmq.words import LANE, after, parcel, take

CONFIRMED = PublishOutcome.CONFIRMED


def message(delay_s: float) -> Message:
    return Writer(Names(prefix="mill"), token="t").message(after(delay_s))


@pytest.mark.parametrize(
    ("delay_s", "rung", "expiration"),
    [
        (0.001, "mill.retry.1", "51"),
        (1, "mill.retry.1", "1050"),
        (1.0001, "mill.retry.2", "1051"),
        (3, "mill.retry.4", "3050"),
        (4, "mill.retry.4", "4050"),
        (REACH.total_seconds(), "mill.retry.4096", "4096050"),
    ],
)
def test_a_delay_takes_the_lowest_rung_that_holds_it_and_its_own_time(
    delay_s: float, rung: str, expiration: str
) -> None:
    written = message(delay_s)

    assert (written.exchange, written.key) == (rung, "default.normal")
    assert written.properties.expiration == expiration


@pytest.mark.parametrize("delay_s", [0, -1])
def test_no_delay_goes_straight_to_the_lane(delay_s: float) -> None:
    written = message(delay_s)

    assert (written.exchange, written.key) == ("mill", "default.normal")
    assert written.properties.expiration is None


def test_a_delay_beyond_the_ladder_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="beyond the ladder"):
        message(REACH.total_seconds() + 0.001)


async def test_nothing_of_a_call_is_sent_if_one_delay_is_beyond_the_ladder(bus: RabbitBus) -> None:
    with pytest.raises(ValueError, match="beyond the ladder"):
        await bus.publish([parcel(), after(REACH.total_seconds() + 1)])

    assert await bus.depths([LANE]) == {LANE: 0}


async def arrivals(bus: RabbitBus, delays_s: Sequence[float], *, count: int) -> dict[float, float]:
    """Publish in this order; return when the first ``count`` came back, by delay, in seconds."""
    clock = asyncio.get_running_loop().time
    async with bus.consume(LANE, prefetch=10) as deliveries:
        began = clock()
        parcels = [after(delay_s, str(delay_s).encode()) for delay_s in delays_s]
        assert await bus.publish(parcels) == [CONFIRMED] * len(parcels)
        came: dict[float, float] = {}
        for _ in range(count):
            [delivery] = await take(deliveries, 1)
            came[float(delivery.body)] = clock() - began
            delivery.ack()
    return came


async def test_a_delay_of_3_s_does_not_wait_behind_one_of_60(bus: RabbitBus) -> None:
    came = await arrivals(bus, [60, 3], count=1)

    assert came.keys() == {3}
    assert came[3] >= 3


async def test_a_short_delay_behind_a_longer_one_of_its_rung_is_bounded_by_it(bus: RabbitBus) -> None:
    came = await arrivals(bus, [1.9, 1.1], count=2)

    assert all(arrival >= delay for delay, arrival in came.items())


async def test_short_delays_come_in_the_order_of_their_times(bus: RabbitBus) -> None:
    came = await arrivals(bus, [1.3, 0.2, 0.6], count=3)

    assert list(came) == [0.2, 0.6, 1.3]
    assert all(arrival >= delay for delay, arrival in came.items())


async def test_each_comes_back_to_the_lane_it_belongs_to(bus: RabbitBus) -> None:
    lanes = [Lane(queue="default", priority=priority) for priority in Priority]
    delay = timedelta(seconds=0.1)
    await bus.publish([parcel(str(lane).encode(), ToLadder(lane=lane, delay=delay)) for lane in lanes])

    for lane in lanes:
        async with bus.consume(lane, prefetch=5) as deliveries:
            [delivery] = await take(deliveries, 1)
            delivery.ack()
            assert delivery.body == str(lane).encode()
            assert delivery.headers["jobmill-type"] == "email"
