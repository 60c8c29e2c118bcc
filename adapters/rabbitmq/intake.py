"""One channel with one consumer: what comes through it, and the answers that go back."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, cast

from aiormq import Connection
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel
from pamqp.commands import Basic

from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.deadlines import bounded, in_background, patient
from jobmill.adapters.rabbitmq.delivery import RabbitDelivery
from jobmill.adapters.rabbitmq.ledger import Answer, Ledger
from jobmill.adapters.rabbitmq.wire import send_answers
from jobmill.application.errors import BrokerUnavailable

log = logging.getLogger(__name__)

Inbox = asyncio.Queue[RabbitDelivery | None]

#: Of one delivery: the method, the head, and a body of 256 kB in frames of 128 at most.
FRAMES_MAX: Final = 5
#: Replies and the broker's own requests.
FRAMES_BESIDE: Final = 100


class Intake:
    """Puts deliveries into an inbox and sends their answers, each in one go with its neighbours.

    It is used for one stretch of consuming and never again: after a lost connection, or when the broker ends
    the consumer, a new one takes over, and answers to deliveries of the old one lead to nothing. The channel
    stays open for as long as a delivery that was handed out is not answered.
    """

    def __init__(self, queue: str, *, prefetch: int, inbox: Inbox, bounds: Bounds) -> None:
        self._queue: Final = queue
        self._prefetch: Final = prefetch
        self._inbox: Final = inbox
        self._bounds: Final = bounds
        self._ledger: Final = Ledger()
        self._answered: Final = asyncio.Event()
        self._sending: Final = asyncio.Lock()
        self._sent: Final = asyncio.Event()
        self._channel: Channel | None = None
        self._tag: str | None = None
        self._retired = False
        self._is_closing = False
        self._received = 0
        #: Done when no more deliveries will come, for whatever reason.
        self.ended: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._closed: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()

    @property
    def received(self) -> int:
        """Deliveries that have come so far."""
        return self._received

    @property
    def could_receive(self) -> bool:
        """It consumes, and holds less than it may: what is ready in the queue should come here."""
        return self._tag is not None and not self.ended.done() and self._ledger.unanswered < self._prefetch

    async def start(self, connection: Connection) -> None:
        """Begin to receive.

        Raises:
            BrokerUnavailable: it did not come to that; there may be no such queue.
        """
        await bounded(self._start(connection), within_s=self._bounds.answer_s, what="let us consume")

    async def run(self) -> None:
        """Send answers until there will be no more, then close the channel."""
        while not (self._closed.done() or (self._retired and self._ledger.is_empty)):
            await self._answered.wait()
            self._answered.clear()
            await self._send()
        await self._close()

    async def retire(self) -> None:
        """End the consumer; give back what nobody took. What was handed out can still be answered."""
        self._retired = True
        if self._channel is None or self._tag is None:
            await self._close()
        elif not self.ended.done():
            await self._cancel(self._channel, self._tag)
        self._end()
        self._give_back()
        while not (self._closed.done() or self._ledger.is_settled):
            self._sent.clear()
            await self._sent.wait()

    async def give_up(self) -> None:
        """End a consumer that the broker has forgotten, so that a new one takes over."""
        if self._channel is not None and self._tag is not None:
            await self._cancel(self._channel, self._tag)
        self._end()

    async def close(self) -> None:
        """Send the answers given so far and close, whatever is still open; the broker puts that back."""
        self._retired = True
        try:
            async with asyncio.timeout(self._bounds.close_s):
                await self._send()
        except TimeoutError:
            pass  # unsaid, so that everything unanswered comes again
        await self._close()

    async def _start(self, connection: Connection) -> None:
        # The library reads all channels in one task, which waits where one has no room for a frame. A channel
        # that reads no more, as in the moment of its end, then makes the whole connection deaf.
        room = FRAMES_MAX * self._prefetch + FRAMES_BESIDE
        channel = cast("Channel", await connection.channel(publisher_confirms=False, frame_buffer_size=room))
        self._channel = channel
        channel.closing.add_done_callback(self._on_closed)
        channel.on_consumer_cancel_callbacks.add(self._on_cancelled)
        # Not global: that would be refused for a quorum queue, and with the whole connection.
        await channel.basic_qos(prefetch_count=self._prefetch, global_=False)
        # Known before it is used: deliveries may be handed out before the broker's reply is seen here.
        self._tag = f"jobmill.{channel.number}"
        await channel.basic_consume(self._queue, self._on_message, consumer_tag=self._tag)

    async def _on_message(self, message: DeliveredMessage) -> None:
        tag = message.delivery_tag
        assert tag is not None, "what is consumed has a tag"
        self._ledger.received(tag)
        self._received += 1
        if self.ended.done() or self._inbox.full():
            self._release(tag)
            return
        self._inbox.put_nowait(
            RabbitDelivery(message=message, tag=tag, on_ack=self._ack, on_release=self._release)
        )

    def _ack(self, tag: int) -> None:
        self._ledger.ack(tag)
        self._answered.set()

    def _release(self, tag: int) -> None:
        self._ledger.release(tag)
        self._answered.set()

    async def _send(self) -> None:
        # One at a time: an answer for several at once must not overtake one that puts a delivery back.
        async with self._sending:
            answers = [_frame(answer) for answer in self._ledger.take()]
            if answers and self._channel is not None and not self._closed.done():
                await self._send_frames(self._channel, answers)
            self._sent.set()

    async def _send_frames(self, channel: Channel, answers: Sequence[Basic.Ack | Basic.Nack]) -> None:
        sent = False
        try:
            async with asyncio.timeout(self._bounds.answer_s):
                sent = await send_answers(channel, answers, self._closed)
        except TimeoutError:
            log.warning("RabbitMQ did not take the answers to %d deliveries", len(answers))
        finally:
            # Later answers may stand for these too, so none may follow: the channel goes, all comes again.
            if not sent:
                self._on_closed()
                in_background(self._close())

    async def _cancel(self, channel: Channel, tag: str) -> None:
        try:
            # With a reply: after it no delivery can come that nobody would look at.
            await bounded(channel.basic_cancel(tag), within_s=self._bounds.answer_s, what="end a consumer")
        except BrokerUnavailable:
            await self._close()

    def _give_back(self) -> None:
        while not self._inbox.empty():
            delivery = self._inbox.get_nowait()
            if delivery is not None:
                delivery.release()

    async def _close(self) -> None:
        if self._channel is not None and not self._channel.is_closed and not self._is_closing:
            self._is_closing = True
            try:
                # Its reply comes after everything that was sent before, so this also sees the answers off.
                await patient(self._channel.close(), within_s=self._bounds.close_s, what="close a channel")
            except BrokerUnavailable:
                pass  # it goes with the connection
        self._on_closed()

    def _on_cancelled(self, _: Basic.Cancel) -> None:
        """The broker ended the consumer: the queue was deleted, or lost its leader."""
        self._end()

    def _on_closed(self, _: object = None) -> None:
        if not self._closed.done():
            self._closed.set_result(None)
        self._end()
        self._answered.set()
        self._sent.set()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
        self._answered.set()


def _frame(answer: Answer) -> Basic.Ack | Basic.Nack:
    if answer.ack:
        return Basic.Ack(delivery_tag=answer.tag, multiple=answer.multiple)
    return Basic.Nack(delivery_tag=answer.tag, requeue=True)
