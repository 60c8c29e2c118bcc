"""Publishing: every message gets the broker's word or is called unknown, within the deadline."""

import asyncio
import logging
from collections.abc import Sequence

from jobmill.adapters.rabbitmq.bounds import BODY_BYTES_MAX, Bounds
from jobmill.adapters.rabbitmq.in_flight import InFlight
from jobmill.adapters.rabbitmq.letters import in_batches
from jobmill.adapters.rabbitmq.link import Link
from jobmill.adapters.rabbitmq.outlet import Outlet, PublishChannel
from jobmill.adapters.rabbitmq.wire import Batch, Message
from jobmill.application.errors import BrokerUnavailable, SetupFault
from jobmill.application.ports.message_bus import PublishOutcome

log = logging.getLogger(__name__)


class Publisher:
    """Sends messages on one connection, many at a time."""

    def __init__(self, link: Link, bounds: Bounds) -> None:
        self._outlet = Outlet(link, bounds)
        self._bounds = bounds
        self._in_flight = InFlight()

    async def publish(self, messages: Sequence[Message]) -> list[PublishOutcome]:
        """Send; answer by position.

        A body above ``BODY_BYTES_MAX`` is refused without being sent; its neighbours are not harmed.
        """
        deadline = asyncio.get_running_loop().time() + self._bounds.publish_s
        outcomes = [PublishOutcome.REFUSED] * len(messages)
        batches = list(in_batches(_sendable(messages)))
        answers = await asyncio.gather(
            *(self._publish([message for _, message in batch], deadline) for batch in batches)
        )
        for batch, answer in zip(batches, answers, strict=True):
            for (position, _), outcome in zip(batch, answer, strict=True):
                outcomes[position] = outcome
        return outcomes

    async def _publish(self, messages: Sequence[Message], deadline: float) -> list[PublishOutcome]:
        room = len(messages), sum(len(message.body) for message in messages)
        try:
            async with asyncio.timeout_at(deadline):
                await self._in_flight.enter(*room)
        except TimeoutError:
            return [PublishOutcome.REFUSED] * len(messages)
        try:
            return await self._send(messages, deadline)
        finally:
            self._in_flight.leave(*room)

    async def _send(self, messages: Sequence[Message], deadline: float) -> list[PublishOutcome]:
        try:
            async with asyncio.timeout_at(deadline):
                exchanges = dict.fromkeys(message.exchange for message in messages)
                use = await self._outlet.channel_for(list(exchanges))
        except (TimeoutError, BrokerUnavailable):
            return [PublishOutcome.REFUSED] * len(messages)
        except SetupFault as fault:
            log.warning("%s", fault)
            return [PublishOutcome.REFUSED] * len(messages)
        known = [message for message in messages if message.exchange in use.exchanges]
        outcomes = iter(await self._on_channel(use, known, deadline) if known else [])
        return [
            next(outcomes) if message.exchange in use.exchanges else PublishOutcome.UNROUTABLE
            for message in messages
        ]

    async def _on_channel(
        self, use: PublishChannel, messages: Sequence[Message], deadline: float
    ) -> list[PublishOutcome]:
        batch = Batch(messages)
        use.in_flight += 1
        answered = False
        try:
            async with asyncio.timeout_at(deadline):
                sent = await batch.send(use.channel, use.closed)
            if not sent:
                return [PublishOutcome.REFUSED] * len(messages)
            left_s = deadline - asyncio.get_running_loop().time()
            await asyncio.wait(
                {batch.settled, use.closed}, timeout=max(0.0, left_s), return_when=asyncio.FIRST_COMPLETED
            )
            answered = batch.settled.done()
            return [outcome or PublishOutcome.UNKNOWN for outcome in batch.outcomes]
        except TimeoutError:
            return [PublishOutcome.REFUSED] * len(messages)
        finally:
            batch.forget(use.channel)
            self._outlet.left(use, answered=answered)


def _sendable(messages: Sequence[Message]) -> list[tuple[int, Message]]:
    fit = []
    for position, message in enumerate(messages):
        size = len(message.body)
        if size <= BODY_BYTES_MAX:
            fit.append((position, message))
        else:
            log.error("a message of %d bytes is not sent; %d is the limit", size, BODY_BYTES_MAX)
    return fit
