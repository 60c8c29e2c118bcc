"""Short words for what tests of the in-process bus do."""

from collections.abc import AsyncIterator
from datetime import timedelta

from jobmill.adapters.memory import MemoryBus
from jobmill.application.ports.message_bus import (
    Delivery,
    Lane,
    Parcel,
    PublishOutcome,
    ToLadder,
    ToLane,
)
from jobmill.domain.states import Priority

LANE = Lane(queue="default", priority=Priority.NORMAL)
SECOND = timedelta(seconds=1)


def a_bus() -> MemoryBus:
    return MemoryBus(queues=["default"])


def a_parcel(body: str, *, lane: Lane = LANE, delay: timedelta | None = None) -> Parcel:
    destination = ToLane(lane=lane) if delay is None else ToLadder(lane=lane, delay=delay)
    return Parcel(destination=destination, body=body.encode(), content_type="text/plain", headers={})


async def sends(bus: MemoryBus, *bodies: str, delay: timedelta | None = None) -> None:
    outcomes = await bus.publish([a_parcel(body, delay=delay) for body in bodies])
    assert set(outcomes) <= {PublishOutcome.CONFIRMED}


async def takes(deliveries: AsyncIterator[Delivery], count: int) -> list[Delivery]:
    return [await anext(deliveries) for _ in range(count)]


def texts(deliveries: list[Delivery]) -> list[str]:
    return [delivery.body.decode() for delivery in deliveries]


async def ready(bus: MemoryBus) -> int | None:
    return (await bus.depths([LANE]))[LANE]
