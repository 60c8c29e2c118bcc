"""The queues with copies of dead letters, sifted from the front."""

from collections.abc import Mapping, Sequence
from typing import Final

from aiormq import Connection
from aiormq.abc import AbstractChannel, DeliveredMessage
from attrs import frozen
from pamqp.commands import Basic

from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.deadlines import bounded
from jobmill.adapters.rabbitmq.letters import Writer
from jobmill.adapters.rabbitmq.link import Link
from jobmill.adapters.rabbitmq.names import Names
from jobmill.adapters.rabbitmq.publisher import Publisher
from jobmill.adapters.rabbitmq.questions import asking
from jobmill.application.errors import BrokerUnavailable, SetupFault
from jobmill.application.ports.dead_copies import Judge
from jobmill.application.ports.message_bus import PublishOutcome

#: For one page to be taken, judged by the database and put back.
_PAGE_WITHIN_S: Final = 60.0


@frozen(kw_only=True)
class DeadQueues:
    """What is wanted is published again, confirmed, and only then taken away.

    To put it back unanswered would keep the order, but bring the same messages the next time, and count as
    deliveries, of which later brokers allow twenty.
    """

    link: Link
    publisher: Publisher
    writer: Writer
    names: Names
    bounds: Bounds

    async def count(self, queues: Sequence[str]) -> Mapping[str, int | None]:
        """See ``DeadCopies.count_copies``."""
        look = self._count(self._connection(), queues)
        return await bounded(look, within_s=self.bounds.answer_s, what="say how many dead letters it has")

    async def sift(self, queue: str, *, limit: int, judge: Judge) -> int:
        """See ``DeadCopies``."""
        work = self._sift(self._connection(), queue, limit, judge)
        return await bounded(work, within_s=_PAGE_WITHIN_S, what="let its dead letters be looked at")

    def _connection(self) -> Connection:
        if self.link.connection is None:
            raise BrokerUnavailable("there is no connection to RabbitMQ at this moment")
        return self.link.connection

    async def _count(self, connection: Connection, queues: Sequence[str]) -> dict[str, int | None]:
        async with asking(connection) as questions:
            try:
                return {queue: await questions.ready(self.names.dead_queue(queue)) for queue in queues}
            except SetupFault as fault:
                raise BrokerUnavailable(str(fault)) from fault

    async def _sift(self, connection: Connection, queue: str, limit: int, judge: Judge) -> int:
        async with asking(connection) as questions:
            channel = await questions.channel()
            taken = await _take(channel, self.names.dead_queue(queue), limit)
            wanted = await judge([message.body for message in taken])
            kept = [message for message, stays in zip(taken, wanted, strict=True) if stays]
            outcomes = await self.publisher.publish(
                [self.writer.copy(queue, message.body, message.header.properties) for message in kept]
            )
            unsaid = {
                message.delivery_tag
                for message, outcome in zip(kept, outcomes, strict=True)
                if outcome is not PublishOutcome.CONFIRMED
            }
            for message in taken:
                if message.delivery_tag is not None and message.delivery_tag not in unsaid:
                    await channel.basic_ack(message.delivery_tag)
        # With the channel goes back to the front whatever was not answered.
        return len(taken)


async def _take(channel: AbstractChannel, queue: str, limit: int) -> list[DeliveredMessage]:
    taken: list[DeliveredMessage] = []
    while len(taken) < limit:
        message = await channel.basic_get(queue)
        if isinstance(message.delivery, Basic.GetEmpty):
            break
        taken.append(message)
    return taken
