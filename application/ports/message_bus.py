"""The broker: parcels out, deliveries in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from enum import Enum
from typing import Protocol

from attrs import frozen

from jobmill.domain.states import Priority


@frozen(kw_only=True)
class Lane:
    """One main queue: the jobs of one queue and priority, or of one share of them where the queue is fair."""

    queue: str
    priority: Priority
    share: int = 0

    def __str__(self) -> str:
        """Return the name under which the lane is routed. The first share has the name of the whole."""
        name = f"{self.queue}.{self.priority.value}"
        return f"{name}.{self.share}" if self.share else name


@frozen(kw_only=True)
class ToLane:
    """Straight to those who wait."""

    lane: Lane


@frozen(kw_only=True)
class ToLadder:
    """To the retry queue that holds ``delay``, and from there to the lane. Never early."""

    lane: Lane
    delay: timedelta


@frozen(kw_only=True)
class ToDead:
    """To the copy of the dead letters of a queue."""

    queue: str


Destination = ToLane | ToLadder | ToDead


@frozen(kw_only=True)
class Parcel:
    """One message: encoded notices and where they go.

    Args:
        headers: for people and tools; nothing is decided by them. Texts and integers only.
    """

    destination: Destination
    body: bytes
    content_type: str
    headers: Mapping[str, str | int]


class PublishOutcome(Enum):
    """What became of a parcel."""

    CONFIRMED = "confirmed"  # the broker has taken responsibility
    UNROUTABLE = "unroutable"  # there is no such queue
    REFUSED = "refused"  # surely not taken: the broker said no, or it was never sent
    UNKNOWN = "unknown"  # sent, and no answer: it may have arrived


class Delivery(Protocol):
    """A parcel received. Exactly one of the two verbs ends it; both return at once and never fail.

    Where the answer does not reach the broker, the same message comes again, which is harmless.
    """

    @property
    def body(self) -> bytes:
        """The message as it came, whoever sent it."""
        ...

    @property
    def content_type(self) -> str | None:
        """What the sender says the body is."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers as text."""
        ...

    def ack(self) -> None:
        """Say that nothing of it is needed any more."""
        ...

    def release(self) -> None:
        """Put it back for anyone to receive."""
        ...


class MessageBus(Protocol):
    """At-least-once transport that survives its connection: it reconnects by itself."""

    @property
    def is_up(self) -> bool:
        """The broker can be reached at this moment."""
        ...

    async def publish(self, parcels: Sequence[Parcel]) -> Sequence[PublishOutcome]:
        """Send parcels and wait for the broker's word on each, by position, within a bounded time."""
        ...

    def consume(self, lane: Lane, *, prefetch: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Receive from a lane while the block lasts; at most ``prefetch`` deliveries are held unanswered.

        Leaving the block ends the subscription and puts back what was received and never handed out;
        deliveries that were handed out can still be answered. A lost connection is bridged inside.
        """
        ...

    async def depths(self, lanes: Sequence[Lane]) -> Mapping[Lane, int | None]:
        """Return the parcels ready in each lane; None where the lane does not exist.

        Raises:
            BrokerUnavailable: the broker cannot be asked.
        """
        ...

    async def epoch(self) -> str | None:
        """Return the marker this broker holds; None if it has none, so that it may have lost everything.

        Raises:
            BrokerUnavailable: the broker cannot be asked.
        """
        ...

    async def mark_epoch(self, epoch: str) -> None:
        """Replace the marker; durable like any other message when this returns.

        Raises:
            BrokerUnavailable: the marker may or may not have been written.
        """
        ...
