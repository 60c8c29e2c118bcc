"""Queues of foreign producers, inside the process: for tests, and where there is no broker."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from attrs import define, field

from jobmill.adapters.memory.broker import MemoryBroker
from jobmill.adapters.memory.message import Message
from jobmill.adapters.memory.subscription import Subscription
from jobmill.application.ports.ingress import Ingress, IngressMessage
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import Priority

_NO_HEADERS: Final[Mapping[str, str | int]] = {}


@define(kw_only=True, eq=False)
class MemoryIngress(Ingress):
    """A connection to queues that several share by sharing the broker, whose lanes stand for them."""

    broker: MemoryBroker = field(factory=MemoryBroker)

    @asynccontextmanager
    async def receive(self, queue: str, *, prefetch: int) -> AsyncGenerator[AsyncIterator[IngressMessage]]:
        """Receive from a queue, which is made if there is none."""
        lane = _place(queue)
        self.broker.line(lane).exists = True
        subscription = Subscription(lane=lane, prefetch=prefetch, broker=self.broker, is_up=lambda: True)
        try:
            yield subscription
        finally:
            subscription.end()

    def arrive(
        self,
        queue: str,
        body: bytes,
        *,
        message_id: str | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str | int] = _NO_HEADERS,
    ) -> None:
        """Put a message into a queue, as a producer does; it is lost where there is no such queue."""
        lane = _place(queue)
        message = Message(
            lane=lane, body=body, content_type=content_type, headers=dict(headers), message_id=message_id
        )
        if self.broker.line(lane).exists:
            self.broker.line(lane).put(message)

    def ready(self, queue: str) -> int | None:
        """Count what waits in a queue; None where there is none."""
        line = self.broker.line(_place(queue))
        return len(line.ready) if line.exists else None


def _place(queue: str) -> Lane:
    return Lane(queue=queue, priority=Priority.NORMAL)
