"""A bus, and the few things that tests do with one, each bounded in time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from attrs import frozen

from jobmill.application.fair_queues import FairQueues
from jobmill.application.ports.message_bus import (
    Delivery,
    Destination,
    Lane,
    MessageBus,
    Parcel,
    PublishOutcome,
    ToLadder,
    ToLane,
)
from jobmill.domain.states import Priority

QUEUES: Final = ("default", "email", "fair")
#: The last of them is a fair one.
FAIR: Final = FairQueues(shares={"fair": 2})
LANE: Final = Lane(queue="default", priority=Priority.NORMAL)
NO_LANE: Final = Lane(queue="nobody", priority=Priority.NORMAL)
#: Far more than any broker takes; a test that waits so long has failed.
PATIENCE_S: Final = 20.0
#: So many questions and answers go by before we believe that nothing comes.
ROUND_TRIPS: Final = 20


@frozen(kw_only=True)
class BusWorld:
    """The bus under test. Bodies are short texts."""

    bus: MessageBus

    async def sends(self, *bodies: str, lane: Lane = LANE) -> None:
        """Publish one parcel for each body, one after another, each taken by the broker."""
        for body in bodies:
            assert await self.publishes(a_parcel(body, to=ToLane(lane=lane))) == [PublishOutcome.CONFIRMED]

    async def sends_later(self, body: str, delay: timedelta, *, lane: Lane = LANE) -> None:
        """Publish through the ladder."""
        parcel = a_parcel(body, to=ToLadder(lane=lane, delay=delay))
        assert await self.publishes(parcel) == [PublishOutcome.CONFIRMED]

    async def publishes(self, *parcels: Parcel) -> Sequence[PublishOutcome]:
        """The outcomes of one call."""
        async with asyncio.timeout(PATIENCE_S):
            return list(await self.bus.publish(parcels))

    @asynccontextmanager
    async def receives(
        self, *, lane: Lane = LANE, prefetch: int = 10
    ) -> AsyncGenerator[AsyncIterator[Delivery]]:
        """A subscription."""
        async with self.bus.consume(lane, prefetch=prefetch) as deliveries:
            yield deliveries

    async def takes_all_until(self, last: str, *, lane: Lane = LANE) -> list[str]:
        """The bodies that lie in the lane up to the one sent last, acknowledged."""
        bodies: list[str] = []
        async with self.receives(lane=lane) as deliveries:
            while last not in bodies:
                delivery = await next_of(deliveries)
                bodies.append(text_of(delivery))
                delivery.ack()
        return bodies

    async def takes(self, count: int, *, lane: Lane = LANE) -> list[str]:
        """So many bodies out of the lane, in whatever order, acknowledged."""
        bodies: list[str] = []
        async with self.receives(lane=lane, prefetch=1) as deliveries:
            while len(bodies) < count:
                delivery = await next_of(deliveries)
                bodies.append(text_of(delivery))
                delivery.ack()
        return bodies

    async def is_still_waiting(self, task: "asyncio.Future[Delivery]") -> bool:
        """Whether a receiver has nothing after the broker has had every chance to send it something."""
        for _ in range(ROUND_TRIPS):
            await self.bus.depths([LANE])
            await asyncio.sleep(0)
        return not task.done()


def a_parcel(body: str = "hello", *, to: Destination | None = None, **headers: str | int) -> Parcel:
    """A parcel, by default to the lane that tests use."""
    return Parcel(
        destination=to or ToLane(lane=LANE),
        body=body.encode(),
        content_type="application/json",
        headers=headers,
    )


async def next_of(deliveries: AsyncIterator[Delivery]) -> Delivery:
    """The next delivery."""
    async with asyncio.timeout(PATIENCE_S):
        return await anext(deliveries)


def text_of(delivery: Delivery) -> str:
    """The body that the test sent."""
    return delivery.body.decode()
