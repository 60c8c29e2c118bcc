"""Lost, silent and missing brokers: answers come in time, and work goes on afterwards."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiormq.exceptions import ChannelAccessRefused

from jobmill.adapters.rabbitmq import Bounds, RabbitBus, RabbitTopology, open_rabbit_bus, opening
from jobmill.adapters.rabbitmq.questions import asking
from jobmill.application.errors import BrokerUnavailable
from jobmill.application.ports.message_bus import PublishOutcome

from tests.integration.rabbitmq.proxy import Proxy, proxy_to
from tests.integration.rabbitmq.words import LANE, is_seen, parcel, ready, take
from tests.servers.amqp_place import AmqpPlace

#: Short, since these tests wait for deadlines to pass.
BOUNDS = Bounds(connect_s=1.0, publish_s=1.0, answer_s=1.0, reconnect_max_s=0.2, close_s=0.5)
#: Far beyond all deadlines, and before heartbeats would tell that the broker is dead.
HANGS_AFTER_S = 15.0
CONFIRMED, REFUSED, UNKNOWN = PublishOutcome.CONFIRMED, PublishOutcome.REFUSED, PublishOutcome.UNKNOWN


@asynccontextmanager
async def opened(urls: Sequence[str], place: AmqpPlace) -> AsyncGenerator[RabbitBus]:
    async with open_rabbit_bus(
        urls, prefix=place.prefix, queues=["default"], fraction=random.random, bounds=BOUNDS
    ) as bus:
        yield bus


async def test_a_cut_connection_comes_back_and_what_was_held_comes_again(applied: AmqpPlace) -> None:
    async with (
        proxy_to(applied.url) as proxy,
        opened([proxy.url], applied) as bus,
        bus.consume(LANE, prefetch=2) as deliveries,
    ):
        await bus.publish([parcel(b"a"), parcel(b"b"), parcel(b"c")])
        held = await take(deliveries, 2)
        assert await bus.depths([LANE]) == {LANE: 1}

        proxy.cut()

        again = await take(deliveries, 2)
        assert {delivery.body for delivery in again} == {delivery.body for delivery in held}
        for delivery in again:
            delivery.ack()
        [last] = await take(deliveries, 1)
        last.ack()
        assert last.body == b"c"
        assert await is_seen(lambda: bus.is_up)
        assert await bus.publish([parcel()]) == [CONFIRMED]


async def test_an_answer_to_a_delivery_of_a_lost_connection_touches_no_other(applied: AmqpPlace) -> None:
    async with proxy_to(applied.url) as proxy, opened([proxy.url], applied) as bus:
        await bus.publish([parcel(b"a"), parcel(b"b")])
        async with bus.consume(LANE, prefetch=2) as deliveries:
            before = await take(deliveries, 2)
            proxy.cut()
            await take(deliveries, 2)
            for delivery in before:
                delivery.ack()
                delivery.release()
            assert await bus.depths([LANE]) == {LANE: 0}
            proxy.cut()

            await take(deliveries, 2)


async def test_every_parcel_is_answered_while_the_connection_is_cut_again_and_again(
    applied: AmqpPlace,
) -> None:
    confirmed: set[bytes] = set()
    async with proxy_to(applied.url) as proxy, opened([proxy.url], applied) as bus:
        for turn in range(30):
            bodies = [f"{turn}-{number}".encode() for number in range(100)]
            publishing = asyncio.ensure_future(bus.publish([parcel(body) for body in bodies]))
            if turn % 3 == 0:
                await asyncio.sleep(0)
                proxy.cut()
            outcomes = await publishing
            assert len(outcomes) == 100
            pairs = zip(bodies, outcomes, strict=True)
            confirmed |= {body for body, outcome in pairs if outcome is CONFIRMED}
            assert await is_seen(lambda: bus.is_up)

    async with opened([applied.url], applied) as bus, bus.consume(LANE, prefetch=200) as deliveries:
        missing = set(confirmed)
        while missing:
            delivery = await anext(deliveries)
            delivery.ack()
            missing.discard(delivery.body)
    assert len(confirmed) >= 1_000


async def test_with_no_broker_the_bus_opens_refuses_and_comes_up_later(applied: AmqpPlace) -> None:
    async with proxy_to(applied.url, listens=False) as proxy, opened([proxy.url], applied) as bus:
        assert not bus.is_up
        assert bus.fault is None
        assert await bus.publish([parcel()]) == [REFUSED]
        for question in (bus.depths([LANE]), bus.epoch(), bus.mark_epoch("first")):
            with pytest.raises(BrokerUnavailable):
                await question

        async with bus.consume(LANE, prefetch=1) as deliveries:
            await proxy.listen()
            assert await is_seen(lambda: bus.is_up)

            assert await bus.publish([parcel(b"late")]) == [CONFIRMED]
            [delivery] = await take(deliveries, 1)
            delivery.ack()
        assert delivery.body == b"late"


async def test_a_server_that_never_answers_hangs_nothing(applied: AmqpPlace) -> None:
    async with proxy_to(applied.url) as proxy:
        proxy.stall()
        async with opened([proxy.url], applied) as bus:
            assert not bus.is_up
            assert await bus.publish([parcel()]) == [REFUSED]
            async with bus.consume(LANE, prefetch=1):
                pass

            proxy.flow()
            assert await is_seen(lambda: bus.is_up)


async def test_a_broker_that_falls_silent_leaves_unknown_and_is_used_again_when_it_speaks(
    applied: AmqpPlace,
) -> None:
    async with proxy_to(applied.url) as proxy, opened([proxy.url], applied) as bus:
        assert await bus.publish([parcel()]) == [CONFIRMED]
        proxy.stall()

        async with asyncio.timeout(HANGS_AFTER_S):
            calls = [bus.publish([parcel()] * 50) for _ in range(60)]
            answers = await asyncio.gather(*calls)
            later = await bus.publish([parcel()])
        with pytest.raises(BrokerUnavailable):
            await bus.depths([LANE])

        assert {outcome for answer in answers for outcome in answer} <= {UNKNOWN, REFUSED}
        assert UNKNOWN in answers[0]
        assert later == [REFUSED]
        proxy.flow()
        assert await is_seen(lambda: bus.is_up)
        assert await bus.publish([parcel()]) == [CONFIRMED]


async def test_a_bus_can_be_closed_while_the_broker_is_silent(applied: AmqpPlace) -> None:
    async with proxy_to(applied.url) as proxy:
        async with opened([proxy.url], applied) as bus:
            await bus.publish([parcel(), parcel()])
            async with bus.consume(LANE, prefetch=2) as deliveries:
                held, _ = await take(deliveries, 2)
                proxy.stall()
                held.ack()
        proxy.cut()

        async with opened([applied.url], applied) as other:
            assert await ready(other, 2)


async def test_the_next_address_is_tried_when_one_is_away(applied: AmqpPlace) -> None:
    async with (
        proxy_to(applied.url, listens=False) as away,
        opened([away.url, applied.url], applied) as bus,
    ):
        assert await is_seen(lambda: bus.is_up)
        assert await bus.publish([parcel()]) == [CONFIRMED]


@pytest.mark.parametrize(
    ("login", "vhost", "words"),
    [("guest:swordfish", "", "password"), ("guest:guest", "nowhere", "virtual host")],
)
async def test_what_only_a_person_can_mend_is_told_without_the_password(
    amqp: AmqpPlace, caplog: pytest.LogCaptureFixture, login: str, vhost: str, words: str
) -> None:
    caplog.set_level(logging.DEBUG, logger="jobmill")
    host = amqp.url.rpartition("@")[2].partition("/")[0]
    async with opened([f"amqp://{login}@{host}/{vhost}"], amqp) as bus:
        assert not bus.is_up
        assert bus.fault is not None
        assert words in str(bus.fault)
        assert "swordfish" not in str(bus.fault) + caplog.text


async def test_a_missing_topology_is_a_fault_that_goes_when_it_is_applied(
    amqp: AmqpPlace, topology: RabbitTopology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "LOOK_AGAIN_S", 0.05)
    async with opened([amqp.url], amqp) as bus:
        assert bus.is_up
        assert "topology apply" in str(bus.fault)

        await topology.apply()
        assert await is_seen(lambda: bus.fault is None)


async def test_many_refused_questions_at_once_do_not_cost_the_connection(
    bus: RabbitBus, applied: AmqpPlace
) -> None:
    async def ignore(_: object) -> None:
        pass

    async def be_refused() -> None:
        for _ in range(5):
            async with asking(connection) as questions:
                channel = await questions.channel()
                with pytest.raises(ChannelAccessRefused):
                    await channel.basic_consume(queue, ignore, exclusive=True)

    connection = await bus.consuming.up()
    queue = f"{applied.prefix}.epoch"
    async with asking(connection) as holder:
        await (await holder.channel()).basic_consume(queue, ignore, exclusive=True)
        await asyncio.gather(*(be_refused() for _ in range(30)))

    assert bus.consuming.connection is connection


async def test_an_outage_is_told_in_two_lines_per_connection(
    applied: AmqpPlace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with proxy_to(applied.url) as proxy, opened([proxy.url], applied) as bus:
        await lose_and_regain(bus, proxy)

    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert sum("is away (publish)" in line for line in lines) == 1
    assert sum("is back (publish)" in line for line in lines) == 1
    assert len(lines) == 4


async def lose_and_regain(bus: RabbitBus, proxy: Proxy) -> None:
    await proxy.close()
    assert await is_seen(lambda: not bus.is_up)
    await bus.publish([parcel()])
    await proxy.listen()
    assert await is_seen(lambda: bus.is_up)
