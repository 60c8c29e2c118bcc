"""The channel that is published on: opened when needed, replaced when it no longer answers."""

import asyncio
from collections.abc import Sequence
from typing import cast

from aiormq import Connection
from aiormq.channel import Channel
from attrs import define, field

from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.deadlines import bounded, in_background
from jobmill.adapters.rabbitmq.dialing import hang_up
from jobmill.adapters.rabbitmq.link import Link
from jobmill.adapters.rabbitmq.questions import asking
from jobmill.application.errors import BrokerUnavailable


@define(kw_only=True, eq=False)
class PublishChannel:
    """A channel with confirms.

    Args:
        closed: done when it is.
        exchanges: seen to exist since it was opened. Publishing to a missing one would close the channel and
            leave everything in flight on it unknown.
        in_flight: batches under way.
    """

    connection: Connection
    channel: Channel
    closed: "asyncio.Future[None]"
    exchanges: set[str] = field(factory=set)
    in_flight: int = 0

    @property
    def is_open(self) -> bool:
        """It can be published on, as far as known here."""
        return not self.closed.done() and self.connection.is_opened


class Outlet:
    """Hands out the channel of the moment."""

    def __init__(self, link: Link, bounds: Bounds) -> None:
        self._link = link
        self._bounds = bounds
        self._current: PublishChannel | None = None
        self._opening = asyncio.Lock()

    async def channel_for(self, exchanges: Sequence[str]) -> PublishChannel:
        """Return an open channel that knows which of these exchanges exist.

        Raises:
            BrokerUnavailable: there is no connection, or no channel can be opened on it.
        """
        if self._link.connection is None:
            raise BrokerUnavailable("there is no connection to RabbitMQ at this moment")
        async with self._opening:
            current = await self._open_channel()
            await self._get_to_know(current, [name for name in exchanges if name not in current.exchanges])
        return current

    def left(self, used: PublishChannel, *, answered: bool) -> None:
        """Note that a batch is over. A channel on which the broker did not answer is not used again."""
        used.in_flight -= 1
        if not answered and self._current is used:
            self._current = None
        if self._current is not used and used.in_flight == 0 and used.is_open:
            in_background(self._close(used))

    async def _open_channel(self) -> PublishChannel:
        connection = self._link.connection
        if connection is None:
            raise BrokerUnavailable("the connection to RabbitMQ was lost just now")
        # A broker short of memory or disk stops reading, and what is sent meanwhile may arrive much later.
        await connection.ready()
        if self._current is None or not self._current.is_open or self._current.connection is not connection:
            self._current = await self._opened(connection)
        return self._current

    async def _opened(self, connection: Connection) -> PublishChannel:
        try:
            channel = await bounded(
                connection.channel(publisher_confirms=True, on_return_raises=True),
                within_s=self._bounds.connect_s,
                what="open a channel",
            )
        except BrokerUnavailable:
            # Connected and deaf: sooner or later heartbeats would tell, a new connection is quicker.
            in_background(hang_up(connection, within_s=self._bounds.close_s))
            raise
        return PublishChannel(
            connection=connection, channel=cast("Channel", channel), closed=_end_of(channel.closing)
        )

    async def _get_to_know(self, current: PublishChannel, names: Sequence[str]) -> None:
        if not names:
            return
        look = _existing(current.connection, names)
        current.exchanges |= await bounded(look, within_s=self._bounds.answer_s, what="look up an exchange")

    async def _close(self, used: PublishChannel) -> None:
        try:
            await bounded(used.channel.close(), within_s=self._bounds.close_s, what="close a channel")
        except BrokerUnavailable:
            pass  # closed with its connection then


async def _existing(connection: Connection, names: Sequence[str]) -> set[str]:
    async with asking(connection) as questions:
        return {name for name in names if await questions.has_exchange(name)}


def _end_of(closing: "asyncio.Future[object]") -> "asyncio.Future[None]":
    """Turn the library's future, which may end in an error or a cancellation, into one that just ends."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(_: "asyncio.Future[object]") -> None:
        if not ended.done():
            ended.set_result(None)

    closing.add_done_callback(end)
    return ended
