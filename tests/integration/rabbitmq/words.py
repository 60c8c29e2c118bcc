"""What the tests of this folder talk about."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

from jobmill.adapters.rabbitmq import Bounds, RabbitBus
from jobmill.application.ports.message_bus import (
    Delivery,
    Destination,
    Lane,
    Parcel,
    ToLadder,
    ToLane,
)
from jobmill.domain.states import Priority

from tests.servers.waiting import until

LANE = Lane(queue="default", priority=Priority.NORMAL)
#: Comes back soon after an outage.
QUICK = Bounds(reconnect_max_s=0.2)


def parcel(body: bytes = b"notice", to: Destination | None = None) -> Parcel:
    return Parcel(
        destination=to or ToLane(lane=LANE),
        body=body,
        content_type="application/json",
        headers={"jobmill-count": 1, "jobmill-type": "email"},
    )


def after(delay_s: float, body: bytes = b"notice") -> Parcel:
    return parcel(body, ToLadder(lane=LANE, delay=timedelta(seconds=delay_s)))


async def take(deliveries: AsyncIterator[Delivery], count: int) -> list[Delivery]:
    return [await anext(deliveries) for _ in range(count)]


async def is_seen(condition: Callable[[], bool], *, within_s: float = 20.0) -> bool:
    async def look() -> bool:
        return condition()

    return await until(look, within_s=within_s)


async def ready(bus: RabbitBus, expected: int) -> bool:
    """Whether so many parcels become ready in the lane; what a consumer gives back takes a moment."""

    async def look() -> bool:
        return (await bus.depths([LANE]))[LANE] == expected

    return await until(look, within_s=10.0)
