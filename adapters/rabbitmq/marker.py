"""The marker that says which life of the broker this is."""

import asyncio
from typing import Final

from aiormq import Connection
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import ChannelAccessRefused
from attrs import field, frozen

from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.deadlines import bounded
from jobmill.adapters.rabbitmq.letters import Writer
from jobmill.adapters.rabbitmq.link import Link
from jobmill.adapters.rabbitmq.publisher import Publisher
from jobmill.adapters.rabbitmq.questions import Questions, asking
from jobmill.application.errors import BrokerUnavailable
from jobmill.application.ports.message_bus import PublishOutcome

#: How long to wait while another process looks at the marker.
LOOK_AGAIN_S: Final = 0.05


@frozen(kw_only=True)
class Marker:
    """One persistent message in a queue of its own. Only a new one, confirmed, makes an old one go."""

    link: Link
    publisher: Publisher
    writer: Writer
    queue: str
    bounds: Bounds
    _turn: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def read(self) -> str | None:
        """Return the marker's id, None if there is no marker or no queue for it.

        Raises:
            BrokerUnavailable: the broker cannot be asked.
        """
        connection = self.link.connection
        if connection is None:
            raise BrokerUnavailable("there is no connection to RabbitMQ at this moment")
        return await bounded(
            self._read(connection), within_s=self.bounds.answer_s, what="show the marker of its life"
        )

    async def write(self, epoch: str) -> None:
        """Put a new marker in the place of the old one; the queue keeps only the last.

        Raises:
            BrokerUnavailable: it may have been written or not.
        """
        [outcome] = await self.publisher.publish([self.writer.marker(epoch)])
        if outcome is not PublishOutcome.CONFIRMED:
            raise BrokerUnavailable(f"RabbitMQ did not take the marker of its life: {outcome.value}")

    async def _read(self, connection: Connection) -> str | None:
        async with self._turn:
            while True:
                async with asking(connection) as questions:
                    if await questions.ready(self.queue) is None:
                        return None
                    try:
                        return await self._look(questions)
                    except ChannelAccessRefused as error:
                        if "exclusive" not in str(error):
                            raise
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _look(self, questions: Questions) -> str | None:
        """Look as the only consumer, so that "nothing there" never means that somebody else holds it.

        Closing the channel, as the caller does, gives up the message and the consumer in one step.
        """
        channel = await questions.channel()
        seen: list[bytes] = []

        async def note(message: DeliveredMessage) -> None:
            seen.append(message.body)

        await channel.basic_consume(self.queue, note, exclusive=True)
        # The queue sends what it has when the consumer begins. An answer from it comes later; one more round
        # through the channel, and everything sent before that answer has arrived here.
        await questions.ready(self.queue)
        await questions.ready(self.queue)
        return seen[-1].decode(errors="replace") if seen else None
