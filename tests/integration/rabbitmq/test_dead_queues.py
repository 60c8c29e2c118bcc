"""Copies of dead letters in RabbitMQ: what the broker does not take again stays where it is."""

from collections.abc import Sequence

import aiormq

from jobmill.adapters.rabbitmq import RabbitBus
from jobmill.application.ports.message_bus import ToDead

from tests.integration.rabbitmq.words import parcel
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until


async def test_a_copy_that_cannot_be_published_again_is_not_taken_away(
    bus: RabbitBus, applied: AmqpPlace
) -> None:
    await bus.publish([parcel(str(number).encode(), ToDead(queue="default")) for number in range(3)])
    async with aiormq.connect(applied.url) as connection:
        channel = await connection.channel()
        name = f"{applied.prefix}.default.dead"
        await channel.queue_unbind(name, exchange=f"{applied.prefix}.dead", routing_key="default")

    async def all_but_the_second(bodies: Sequence[bytes]) -> Sequence[bool]:
        return [body != b"1" for body in bodies]

    assert await bus.sift("default", limit=10, judge=all_but_the_second) == 3

    async def two_are_left() -> bool:
        return await bus.count_copies(["default"]) == {"default": 2}

    assert await until(two_are_left, within_s=10)


async def test_a_copy_keeps_what_tools_read_of_it(bus: RabbitBus, applied: AmqpPlace) -> None:
    await bus.publish([parcel(to=ToDead(queue="default"))])

    async def all_of_them(bodies: Sequence[bytes]) -> Sequence[bool]:
        return [True for _ in bodies]

    assert await bus.sift("default", limit=10, judge=all_of_them) == 1

    async with aiormq.connect(applied.url) as connection:
        channel = await connection.channel()
        message = await channel.basic_get(f"{applied.prefix}.default.dead")
    assert message.body == b"notice"
    assert message.header.properties.content_type == "application/json"
    headers = dict(message.header.properties.headers or {})
    assert headers.pop("x-delivery-count", 0) == 0
    assert headers == {"jobmill-count": 1, "jobmill-type": "email"}
