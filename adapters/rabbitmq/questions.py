"""Looking whether something stands in the broker, without changing it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from aiormq import Connection
from aiormq.abc import AbstractChannel
from aiormq.exceptions import (
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)

from jobmill.application.errors import BrokerUnavailable, SetupFault


class Questions:
    """Asks on a channel of its own, and on a new one after each thing that is missing: that closes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channel: AbstractChannel | None = None

    async def channel(self) -> AbstractChannel:
        """Return the open channel."""
        if self._channel is None or self._channel.is_closed:
            self._channel = await self._connection.channel(publisher_confirms=False)
        return self._channel

    async def close(self) -> None:
        """Close the channel; with it goes back whatever it still holds."""
        if self._channel is not None and not self._channel.is_closed:
            await self._channel.close()

    async def ready(self, queue: str) -> int | None:
        """Return how many messages are ready in a queue, None if there is no such queue.

        Raises:
            BrokerUnavailable: the queue exists on a node of the cluster that is down.
            SetupFault: the user may not ask.
        """
        channel = await self.channel()
        try:
            return (await channel.queue_declare(queue, passive=True)).message_count or 0
        except ChannelNotFoundEntity as error:
            if "home node" in str(error):
                raise BrokerUnavailable(f"RabbitMQ: {error}") from error
            return None
        except ChannelAccessRefused as error:
            raise _no_rights(error) from error

    async def has_exchange(self, name: str) -> bool:
        """Return whether there is an exchange of this name.

        Raises:
            SetupFault: the user may not ask.
        """
        channel = await self.channel()
        try:
            await channel.exchange_declare(name, passive=True)
        except ChannelNotFoundEntity:
            return False
        except ChannelAccessRefused as error:
            raise _no_rights(error) from error
        return True

    async def declare_exchange(self, name: str, kind: str) -> str | None:
        """Create an exchange; return what clashes with the one that stands there, None if nothing does."""
        channel = await self.channel()
        try:
            await channel.exchange_declare(name, exchange_type=kind, durable=True)
        except ChannelPreconditionFailed as error:
            return str(error)
        except ChannelAccessRefused as error:
            raise _no_rights(error) from error
        return None

    async def declare_queue(self, name: str, arguments: Mapping[str, str | int]) -> str | None:
        """Create a queue; return what clashes with the one that stands there, None if nothing does."""
        channel = await self.channel()
        try:
            await channel.queue_declare(name, durable=True, arguments=dict(arguments))
        except ChannelPreconditionFailed as error:
            return str(error)
        except ChannelAccessRefused as error:
            raise _no_rights(error) from error
        return None


@asynccontextmanager
async def asking(connection: Connection) -> AsyncGenerator[Questions]:
    """Ask questions while the block lasts."""
    questions = Questions(connection)
    try:
        yield questions
    finally:
        await questions.close()


def _no_rights(error: ChannelAccessRefused) -> SetupFault:
    return SetupFault(f"the RabbitMQ user lacks a right that is needed here: {error}")
