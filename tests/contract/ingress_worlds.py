"""Producers beside each adapter of ``Ingress``."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import aiormq
from attrs import field, frozen
from pamqp.commands import Basic

from jobmill.adapters.memory import MemoryIngress
from jobmill.adapters.rabbitmq import open_rabbit_bus
from jobmill.adapters.system import SystemEntropy
from jobmill.application.ports.ingress import Ingress
from jobmill.testing.contracts.ingress_world import IngressWorld

from tests.fuzz.raw_amqp import CONTENT_TYPE, publish_raw, short
from tests.servers.amqp_place import AmqpPlace


@frozen(kw_only=True)
class InMemory(IngressWorld):
    ingress: MemoryIngress = field(factory=MemoryIngress)
    queue: str = "their.queue"

    async def send(
        self,
        body: bytes,
        *,
        message_id: str | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.ingress.arrive(
            self.queue, body, message_id=message_id, content_type=content_type, headers=headers or {}
        )

    async def waiting(self) -> int | None:
        return self.ingress.ready(self.queue)


@frozen(kw_only=True)
class OnRabbit(IngressWorld):
    ingress: Ingress
    queue: str
    connection: aiormq.abc.AbstractConnection

    async def send(
        self,
        body: bytes,
        *,
        message_id: str | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        channel = await self.connection.channel(publisher_confirms=False)
        if message_id is None:  # the library would make one up
            kind = short(content_type.encode())
            await publish_raw(channel, "", self.queue, body, flags=CONTENT_TYPE, properties=kind)
        else:
            properties = Basic.Properties(
                message_id=message_id, content_type=content_type, headers=dict(headers or {})
            )
            await channel.basic_publish(body, routing_key=self.queue, properties=properties)
        await channel.close()  # its answer comes after the message

    async def waiting(self) -> int | None:
        channel = await self.connection.channel()
        try:
            return (await channel.queue_declare(self.queue, passive=True)).message_count
        except aiormq.exceptions.ChannelNotFoundEntity:
            return None
        finally:
            if not channel.is_closed:
                await channel.close()


@asynccontextmanager
async def in_memory() -> AsyncGenerator[IngressWorld]:
    yield InMemory()


@asynccontextmanager
async def on_rabbit(place: AmqpPlace) -> AsyncGenerator[OnRabbit]:
    """A queue with a name of its own: it does not begin with the prefix and a dot."""
    queue = f"{place.prefix}-theirs"
    place.delete_later(queues=[queue])
    fraction = SystemEntropy().fraction
    connection = await aiormq.connect(place.url)
    try:
        async with open_rabbit_bus(
            [place.url], prefix=place.prefix, queues=(), fraction=fraction, verify=False
        ) as bus:
            yield OnRabbit(ingress=bus, queue=queue, connection=connection)
    finally:
        await connection.close()
