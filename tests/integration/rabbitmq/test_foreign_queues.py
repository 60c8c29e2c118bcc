"""Queues of strangers on RabbitMQ: taken as they are, and made as strangers would make them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiormq
import pytest
import pytest_asyncio
from aiormq.abc import AbstractChannel

from jobmill.adapters.rabbitmq import RabbitBus
from jobmill.testing.contracts.ingress_world import PATIENCE_S, next_of

from tests.contract.ingress_worlds import OnRabbit, on_rabbit
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until


@pytest_asyncio.fixture
async def strangers(amqp: AmqpPlace) -> AsyncGenerator[OnRabbit]:
    async with on_rabbit(amqp) as world:
        yield world


@asynccontextmanager
async def a_channel(world: OnRabbit) -> AsyncGenerator[AbstractChannel]:
    channel = await world.connection.channel()
    yield channel
    if not channel.is_closed:
        await channel.close()


async def is_there(world: OnRabbit) -> bool:
    return await world.waiting() is not None


@pytest.mark.parametrize(
    ("durable", "arguments"),
    [
        (True, {"x-max-priority": 5, "x-message-ttl": 600_000}),
        (True, {"x-queue-type": "quorum"}),
        (False, {}),
    ],
    ids=["classic with arguments", "quorum", "not durable"],
)
async def test_a_queue_of_any_kind_is_read_as_it_is(
    strangers: OnRabbit, durable: bool, arguments: dict[str, object]
) -> None:
    async with a_channel(strangers) as channel:
        await channel.queue_declare(strangers.queue, durable=durable, arguments=arguments)  # type: ignore[arg-type]
    await strangers.send(b"1")

    async with strangers.ingress.receive(strangers.queue, prefetch=1) as messages:
        (await next_of(messages)).ack()

    async with a_channel(strangers) as channel:  # refused if anything about it had changed
        again = await channel.queue_declare(strangers.queue, durable=durable, arguments=arguments)  # type: ignore[arg-type]
    assert again.message_count == 0


async def test_the_declaration_of_a_producer_agrees_with_a_queue_made_here(strangers: OnRabbit) -> None:
    async with strangers.ingress.receive(strangers.queue, prefetch=1):
        assert await until(lambda: is_there(strangers), within_s=PATIENCE_S)

        async with a_channel(strangers) as channel:
            declared = await channel.queue_declare(strangers.queue, durable=True)

    assert declared.consumer_count == 1


async def test_a_queue_that_is_deleted_is_made_again_and_read_on(strangers: OnRabbit) -> None:
    async with strangers.ingress.receive(strangers.queue, prefetch=1) as messages:
        assert await until(lambda: is_there(strangers), within_s=PATIENCE_S)
        async with a_channel(strangers) as channel:
            await channel.queue_delete(strangers.queue)
        assert await until(lambda: is_there(strangers), within_s=PATIENCE_S)
        await strangers.send(b"after")
        message = await next_of(messages)
        message.ack()

    assert message.body == b"after"


async def test_a_queue_of_the_mills_own_is_waited_for_and_never_made(
    strangers: OnRabbit, amqp: AmqpPlace
) -> None:
    own = OnRabbit(ingress=strangers.ingress, queue=f"{amqp.prefix}.ingress", connection=strangers.connection)
    bus = strangers.ingress
    assert isinstance(bus, RabbitBus)
    async with bus.receive(own.queue, prefetch=1) as messages:
        assert await until(lambda: _was_tried(bus), within_s=PATIENCE_S)
        assert await own.waiting() is None

        async with a_channel(own) as channel:
            await channel.queue_declare(own.queue, durable=True, arguments={"x-queue-type": "quorum"})
        await own.send(b"1")
        (await next_of(messages)).ack()


async def _was_tried(bus: RabbitBus) -> bool:
    """A consumer was asked for, and refused."""
    return any(each.intake is not None and each.intake.ended.done() for each in bus.watchdog._watched)


async def test_a_queue_that_only_its_owner_may_read_is_waited_for(strangers: OnRabbit) -> None:
    other = await aiormq.connect(str(strangers.connection.url))
    channel = await other.channel()
    await channel.queue_declare(strangers.queue, exclusive=True)
    bus = strangers.ingress
    assert isinstance(bus, RabbitBus)

    async with bus.receive(strangers.queue, prefetch=1) as messages:
        assert await until(lambda: _was_tried(bus), within_s=PATIENCE_S)
        await other.close()
        assert await until(lambda: is_there(strangers), within_s=PATIENCE_S)
        await strangers.send(b"1")
        (await next_of(messages)).ack()
