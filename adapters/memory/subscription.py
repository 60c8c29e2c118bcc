"""Receiving from a lane of the in-process broker."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Self

from attrs import define, field, frozen

from jobmill.adapters.memory.broker import MemoryBroker
from jobmill.adapters.memory.line import Line
from jobmill.adapters.memory.message import Held
from jobmill.application.ports.ingress import IngressMessage
from jobmill.application.ports.message_bus import Lane


@frozen(kw_only=True, eq=False)
class MemoryDelivery(IngressMessage):
    """A message handed out."""

    _held: Held
    _broker: MemoryBroker

    @property
    def body(self) -> bytes:
        """The bytes as they were published."""
        return self._held.message.body

    @property
    def content_type(self) -> str | None:
        """What the publisher said."""
        return self._held.message.content_type

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers as text."""
        return {name: str(value) for name, value in self._held.message.headers.items()}

    @property
    def message_id(self) -> str | None:
        """The sender's own."""
        return self._held.message.message_id

    @property
    def is_redelivered(self) -> bool:
        """It was put back before."""
        return self._held.message.is_redelivered

    def ack(self) -> None:
        """Let the broker forget the message."""
        self._broker.settle(self._held, back=False)

    def release(self) -> None:
        """Put the message back where it was: at the front."""
        self._broker.settle(self._held, back=True)


@define(kw_only=True, eq=False)
class Subscription(AsyncIterator[IngressMessage]):
    """Takes from its line whenever asked, so nothing is ever received and not handed out.

    One task at a time may wait for the next delivery.
    """

    lane: Lane
    prefetch: int
    broker: MemoryBroker
    is_up: Callable[[], bool]
    held: dict[Held, None] = field(init=False, factory=dict)
    _line: Line = field(init=False)
    _has_ended: bool = field(init=False, default=False)
    _bell: asyncio.Future[None] | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        """Find the line; a broker never replaces one."""
        self._line = self.broker.line(self.lane)

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> IngressMessage:
        """Return the next delivery, as soon as there is one and room for it."""
        while not self._has_ended:
            if self._may_take and self._line.ready:
                return self._take()
            await self._change()
        raise StopAsyncIteration

    def wake(self) -> None:
        """Look again: the connection, the room or the end has changed."""
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    def end(self) -> None:
        """Hand out no more; what was handed out can still be answered."""
        self._has_ended = True
        self.wake()

    @property
    def is_over(self) -> bool:
        """Ended, with every delivery answered."""
        return self._has_ended and not self.held

    @property
    def _may_take(self) -> bool:
        return self.is_up() and len(self.held) < self.prefetch

    def _take(self) -> IngressMessage:
        held = Held(message=self._line.ready.popleft(), freed=self._free)
        self.held[held] = None
        self.broker.hand_out(held)
        return MemoryDelivery(held=held, broker=self.broker)

    def _free(self, held: Held) -> None:
        was_full = len(self.held) >= self.prefetch
        del self.held[held]
        if was_full:
            self.wake()

    async def _change(self) -> None:
        """Wait until something is different, in the line only while there is room for what comes."""
        bell = self._bell = asyncio.get_running_loop().create_future()
        if self._may_take:
            self._line.wait(bell)
        try:
            await bell
        except asyncio.CancelledError:
            self._line.leave(bell)
            raise
        finally:
            self._bell = None
        if self._has_ended or not self._may_take:
            self._line.leave(bell)
