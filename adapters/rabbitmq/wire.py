"""Writing to a channel many frames at a time. Leans on the insides of aiormq 7.2; nothing else does.

aiormq publishes one message per call, under a lock and with a round through the event loop. Here a batch is
one write. What this relies on: a channel counts its messages in ``delivery_tag``, keeps who awaits the
confirm of each in ``confirmations`` and who awaits a returned one in ``message_id_delivery_tag``, and tells
them through ``done``, ``cancelled``, ``set_result`` and ``set_exception``. The tests hold each of these.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, cast

import pamqp.frame
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from aiormq.exceptions import PublishError
from attrs import frozen
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from jobmill.application.ports.message_bus import PublishOutcome

#: So many writes of ours may wait for the connection; the rest of its queue is for the library's own words.
WRITES_AHEAD_MAX: Final = 10
#: How often to look for room when the connection has no place for another write.
LOOK_EVERY_S: Final = 0.005


@frozen(kw_only=True)
class Message:
    """What is published. The properties belong to this message alone, with a ``message_id`` of its own."""

    exchange: str
    key: str
    properties: Basic.Properties
    body: bytes


class _Receipt:
    """Awaits the broker's word on one message, in the place of aiormq's own future."""

    __slots__ = ("_batch", "_position")

    def __init__(self, batch: "Batch", position: int) -> None:
        self._batch = batch
        self._position = position

    def done(self) -> bool:
        return self._batch.outcomes[self._position] is not None

    def cancelled(self) -> bool:
        """Nobody waits any more, so a late word is nothing to warn of."""
        return True

    def set_result(self, _: object) -> None:
        self._batch.note(self._position, PublishOutcome.CONFIRMED)

    def set_exception(self, error: BaseException) -> None:
        returned = isinstance(error, PublishError)
        self._batch.note(self._position, PublishOutcome.UNROUTABLE if returned else PublishOutcome.REFUSED)


class Batch:
    """Messages that are sent together; ``settled`` is done when the broker has spoken of each."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self._left = len(messages)
        self.outcomes: list[PublishOutcome | None] = [None] * len(messages)
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def note(self, position: int, outcome: PublishOutcome) -> None:
        """Note the broker's word on one message."""
        self.outcomes[position] = outcome
        self._left -= 1
        if self._left == 0 and not self.settled.done():
            self.settled.set_result(None)

    async def send(self, channel: Channel, closed: "asyncio.Future[None]") -> bool:
        """Write all of it; return False, with nothing sent, if the channel is closed.

        Cancelled, it has sent nothing either.
        """
        payload = self._marshalled(channel.number, channel.max_content_size)
        if not await _room(channel, closed):
            return False
        # From here on nothing is awaited: the messages are counted in the order in which they are written.
        for position, message in enumerate(self._messages):
            channel.delivery_tag += 1
            receipt = cast("asyncio.Future[object]", _Receipt(self, position))
            channel.confirmations[channel.delivery_tag] = receipt
            channel.message_id_delivery_tag[str(message.properties.message_id)] = channel.delivery_tag
        channel.write_queue.put_nowait(ChannelFrame(payload=payload, should_close=False))
        return True

    def forget(self, channel: Channel) -> None:
        """Forget which messages these were. A late confirm still finds its receipt."""
        for message in self._messages:
            channel.message_id_delivery_tag.pop(str(message.properties.message_id), None)

    def _marshalled(self, number: int, chunk_bytes: int) -> bytes:
        heads: dict[tuple[str, str], bytes] = {}
        parts: list[bytes] = []
        for message in self._messages:
            address = (message.exchange, message.key)
            if address not in heads:
                publish = Basic.Publish(exchange=message.exchange, routing_key=message.key, mandatory=True)
                heads[address] = pamqp.frame.marshal(publish, number)
            header = ContentHeader(properties=message.properties, body_size=len(message.body))
            parts += heads[address], pamqp.frame.marshal(header, number)
            parts += (pamqp.frame.marshal(part, number) for part in _split(message.body, chunk_bytes))
        return b"".join(parts)


async def send_answers(
    channel: Channel, answers: Sequence[Basic.Ack | Basic.Nack], closed: "asyncio.Future[None]"
) -> bool:
    """Write answers to deliveries in this order; return False if the channel is closed."""
    if not await _room(channel, closed):
        return False
    channel.write_queue.put_nowait(ChannelFrame.marshall(channel.number, answers))
    return True


async def _room(channel: Channel, closed: "asyncio.Future[None]") -> bool:
    """Wait until the connection takes another write; False when the channel is closed.

    Looks again and again instead of waiting in the library's queue: who waits there when the connection dies
    is never told, and whether a cancelled waiter has sent cannot be known.
    """
    while not closed.done() and not channel.is_closed:
        if channel.write_queue.qsize() < WRITES_AHEAD_MAX:
            return True
        await asyncio.sleep(LOOK_EVERY_S)
    return False


def _split(body: bytes, chunk_bytes: int) -> Iterator[ContentBody]:
    for start in range(0, len(body), chunk_bytes):
        yield ContentBody(body[start : start + chunk_bytes])
