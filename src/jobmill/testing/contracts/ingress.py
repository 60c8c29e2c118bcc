"""What every ``Ingress`` does."""

import asyncio

from jobmill.testing.contracts.ingress_world import PATIENCE_S, IngressWorld, next_of
from jobmill.testing.contracts.waiting import until


async def is_there(world: IngressWorld) -> bool:
    async def found() -> bool:
        return await world.waiting() is not None

    return await until(found, within_s=PATIENCE_S)


async def makes_the_queue(world: IngressWorld) -> None:
    async with world.ingress.receive(world.queue, prefetch=1):
        assert await is_there(world)


async def holds(world: IngressWorld, count: int) -> bool:
    async def so_many() -> bool:
        return await world.waiting() == count

    return await until(so_many, within_s=PATIENCE_S)


async def test_a_missing_queue_is_made(strangers: IngressWorld) -> None:
    assert await strangers.waiting() is None

    await makes_the_queue(strangers)

    assert await strangers.waiting() == 0


async def test_a_message_arrives_with_all_that_came_with_it(strangers: IngressWorld) -> None:
    await makes_the_queue(strangers)
    await strangers.send(b"\x00\xff{", message_id="m-1", content_type="text/odd", headers={"from": "afar"})

    async with strangers.ingress.receive(strangers.queue, prefetch=1) as messages:
        message = await next_of(messages)
        message.ack()

    assert (message.body, message.message_id, message.content_type) == (b"\x00\xff{", "m-1", "text/odd")
    assert message.headers["from"] == "afar"
    assert not message.is_redelivered


async def test_a_message_without_an_id_has_none(strangers: IngressWorld) -> None:
    await makes_the_queue(strangers)
    await strangers.send(b"{}")

    async with strangers.ingress.receive(strangers.queue, prefetch=1) as messages:
        message = await next_of(messages)
        message.ack()

    assert message.message_id is None


async def test_what_is_put_back_comes_again_and_says_so(strangers: IngressWorld) -> None:
    await makes_the_queue(strangers)
    await strangers.send(b"1")

    async with strangers.ingress.receive(strangers.queue, prefetch=1) as messages:
        (await next_of(messages)).release()
        again = await next_of(messages)
        again.ack()

    assert (again.body, again.is_redelivered) == (b"1", True)


async def test_what_is_acknowledged_is_gone(strangers: IngressWorld) -> None:
    await makes_the_queue(strangers)
    await strangers.send(b"1")

    async with strangers.ingress.receive(strangers.queue, prefetch=1) as messages:
        (await next_of(messages)).ack()

    assert await holds(strangers, 0)


async def test_no_more_is_held_than_the_prefetch(strangers: IngressWorld) -> None:
    await makes_the_queue(strangers)
    for body in (b"1", b"2", b"3"):
        await strangers.send(body)

    async with strangers.ingress.receive(strangers.queue, prefetch=2) as messages:
        first, second = await next_of(messages), await next_of(messages)
        assert await holds(strangers, 1)
        first.ack()
        third = await next_of(messages)
        second.ack()
        third.ack()

    assert [each.body for each in (first, second, third)] == [b"1", b"2", b"3"]


async def test_leaving_puts_back_what_was_not_handed_out(strangers: IngressWorld) -> None:
    await makes_the_queue(strangers)
    for body in (b"1", b"2", b"3"):
        await strangers.send(body)

    async with strangers.ingress.receive(strangers.queue, prefetch=3) as messages:
        kept = await next_of(messages)
    assert await holds(strangers, 2)
    kept.ack()

    async with strangers.ingress.receive(strangers.queue, prefetch=1) as messages:
        (await next_of(messages)).ack()
    assert await holds(strangers, 1)


async def test_many_may_receive_from_one_queue(strangers: IngressWorld) -> None:
    await makes_the_queue(strangers)
    await strangers.send(b"1")
    await strangers.send(b"2")

    async with (
        strangers.ingress.receive(strangers.queue, prefetch=1) as one,
        strangers.ingress.receive(strangers.queue, prefetch=1) as other,
    ):
        both = await asyncio.gather(next_of(one), next_of(other))
        for message in both:
            message.ack()

    assert {message.body for message in both} == {b"1", b"2"}
