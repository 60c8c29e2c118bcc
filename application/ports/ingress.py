"""Messages of foreign producers: in from queues that may be theirs, out only when they are answered."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from jobmill.application.ports.message_bus import Delivery


class IngressMessage(Delivery, Protocol):
    """A message of somebody else's. It is answered like any delivery, and nothing in it can be relied on."""

    @property
    def message_id(self) -> str | None:
        """The sender's own id of the message, where it gave one."""
        ...

    @property
    def is_redelivered(self) -> bool:
        """It was handed out before, to whomever, so that something may have come of it already."""
        ...


class Ingress(Protocol):
    """Receives from queues by their full names in the broker, and leaves them as they are."""

    def receive(
        self, queue: str, *, prefetch: int
    ) -> AbstractAsyncContextManager[AsyncIterator[IngressMessage]]:
        """Receive from a queue while the block lasts; at most ``prefetch`` messages are held unanswered.

        A queue that exists is taken as it is, of whatever kind and with whatever arguments. One that is
        missing is made: durable, with no arguments, as producers declare it who ask for nothing special;
        one whose name is the mill's own is waited for instead. For the rest as ``MessageBus.consume``: many
        may receive from one queue, leaving puts back what was not handed out, and a lost connection is
        bridged inside.
        """
        ...
