"""Publishing: every parcel gets its own, true answer."""

import asyncio

import aiormq
import pytest
from aiormq.abc import FieldTable

from jobmill.adapters.rabbitmq import RabbitBus, open_rabbit_bus
from jobmill.adapters.rabbitmq.bounds import BODY_BYTES_MAX
from jobmill.adapters.rabbitmq.in_flight import InFlight
from jobmill.adapters.rabbitmq.letters import Writer, in_batches
from jobmill.adapters.rabbitmq.names import Names
from jobmill.application.ports.message_bus import Lane, PublishOutcome, ToDead, ToLane
from jobmill.domain.states import Priority

from tests.integration.rabbitmq.words import LANE, after, parcel, take
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until

CONFIRMED, UNROUTABLE = PublishOutcome.CONFIRMED, PublishOutcome.UNROUTABLE
REFUSED, UNKNOWN = PublishOutcome.REFUSED, PublishOutcome.UNKNOWN
NOWHERE = ToLane(lane=Lane(queue="nowhere", priority=Priority.LOW))


async def test_a_parcel_arrives_as_it_was_sent(bus: RabbitBus) -> None:
    assert await bus.publish([parcel(b"\x00\xff body")]) == [CONFIRMED]

    async with bus.consume(LANE, prefetch=1) as deliveries:
        [delivery] = await take(deliveries, 1)
        delivery.ack()
    assert delivery.body == b"\x00\xff body"
    assert delivery.content_type == "application/json"
    assert delivery.headers == {"jobmill-count": "1", "jobmill-type": "email"}


async def test_nothing_to_publish_is_answered_with_nothing(bus: RabbitBus) -> None:
    assert await bus.publish([]) == []


async def test_in_one_call_only_the_unroutable_ones_are_called_so(bus: RabbitBus) -> None:
    parcels = [parcel(), parcel(to=NOWHERE), parcel(), parcel(to=NOWHERE), parcel(), parcel()]

    outcomes = await bus.publish(parcels)

    assert outcomes == [CONFIRMED, UNROUTABLE, CONFIRMED, UNROUTABLE, CONFIRMED, CONFIRMED]
    assert await bus.depths([LANE]) == {LANE: 4}


async def test_the_same_parcel_can_be_published_many_times_at_once(bus: RabbitBus) -> None:
    lost, sound = parcel(to=NOWHERE), parcel()

    outcomes = await bus.publish([lost, sound] * 3)

    assert outcomes == [UNROUTABLE, CONFIRMED] * 3


async def test_a_lane_whose_queue_was_deleted_is_unroutable(bus: RabbitBus, applied: AmqpPlace) -> None:
    assert await bus.publish([parcel()]) == [CONFIRMED]
    await delete(applied, queue=f"{applied.prefix}.{LANE}")

    assert await bus.publish([parcel()]) == [UNROUTABLE]


async def test_a_missing_exchange_is_unroutable_and_harms_no_neighbour(amqp: AmqpPlace) -> None:
    async with open_rabbit_bus(
        [amqp.url], prefix=amqp.prefix, queues=[], fraction=lambda: 0.1, verify=False
    ) as bus:
        assert await bus.publish([parcel(), after(1)]) == [UNROUTABLE, UNROUTABLE]
        await declare_only(amqp, exchange=amqp.prefix, queue=f"{amqp.prefix}.{LANE}", key=str(LANE))

        outcomes = await bus.publish([parcel(), after(1), parcel(to=ToDead(queue="default")), parcel()])

        assert outcomes == [CONFIRMED, UNROUTABLE, UNROUTABLE, CONFIRMED]


async def test_an_exchange_deleted_under_us_leaves_unknown_and_then_unroutable(
    bus: RabbitBus, applied: AmqpPlace
) -> None:
    assert await bus.publish([parcel()]) == [CONFIRMED]
    await delete(applied, exchange=applied.prefix)

    first, second = await bus.publish([parcel()]), await bus.publish([parcel()])

    assert first == [UNKNOWN]
    assert second == [UNROUTABLE]


async def test_a_parcel_that_is_too_large_is_refused_alone(bus: RabbitBus) -> None:
    outcomes = await bus.publish([parcel(), parcel(b"x" * (BODY_BYTES_MAX + 1)), parcel()])

    assert outcomes == [CONFIRMED, REFUSED, CONFIRMED]


async def test_a_queue_that_takes_no_more_refuses(bus: RabbitBus, applied: AmqpPlace) -> None:
    queue = f"{applied.prefix}.{LANE}"
    await delete(applied, queue=queue)
    await declare_only(
        applied, exchange=applied.prefix, queue=queue, key=str(LANE), length_max=1, overflow="reject-publish"
    )

    assert CONFIRMED in await bus.publish([parcel() for _ in range(20)])

    async def refuses() -> bool:
        return await bus.publish([parcel()]) == [REFUSED]

    assert await until(refuses, within_s=10.0)


async def test_bodies_of_every_size_survive_the_cut_into_frames(bus: RabbitBus) -> None:
    sizes = [0, 1, 131_063, 131_064, 131_065, 300_000, BODY_BYTES_MAX]
    bodies = [bytes([number]) * size for number, size in enumerate(sizes)]

    assert await bus.publish([parcel(body) for body in bodies]) == [CONFIRMED] * len(bodies)

    async with bus.consume(LANE, prefetch=20) as deliveries:
        assert [delivery.body for delivery in await take(deliveries, len(bodies))] == bodies


async def test_thousands_of_parcels_from_many_callers_are_each_answered(bus: RabbitBus) -> None:
    calls = [bus.publish([parcel()] * 250 + [parcel(to=NOWHERE)]) for _ in range(12)]

    answers = await asyncio.gather(*calls)

    assert all(answer == [CONFIRMED] * 250 + [UNROUTABLE] for answer in answers)
    assert await bus.depths([LANE]) == {LANE: 3_000}


async def test_a_caller_that_gives_up_harms_no_other(bus: RabbitBus) -> None:
    impatient = asyncio.ensure_future(bus.publish([parcel()] * 100))
    patient = asyncio.ensure_future(bus.publish([parcel()] * 100))
    await asyncio.sleep(0)
    impatient.cancel()

    assert await patient == [CONFIRMED] * 100
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert await bus.publish([parcel()]) == [CONFIRMED]


async def test_room_is_given_in_turn_and_back() -> None:
    room = InFlight(count_max=3, bytes_max=100)
    await room.enter(2, 90)
    waiting = [asyncio.ensure_future(room.enter(2, 10)), asyncio.ensure_future(room.enter(1, 1))]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)

    room.leave(2, 90)
    await asyncio.gather(*waiting)


def test_batches_are_bounded_by_count_and_by_size() -> None:
    writer = Writer(Names(prefix="mill"), token="t")
    small = [(number, writer.message(parcel(b"x"))) for number in range(450)]
    large = [(number, writer.message(parcel(b"x" * BODY_BYTES_MAX))) for number in range(9)]

    assert [len(batch) for batch in in_batches(small)] == [200, 200, 50]
    assert [len(batch) for batch in in_batches(large)] == [4, 4, 1]
    assert list(in_batches([])) == []


def test_every_publication_has_an_id_and_properties_of_its_own() -> None:
    writer = Writer(Names(prefix="mill"), token="t")
    same = parcel()

    first, second = writer.message(same), writer.message(same)

    assert first.properties.message_id != second.properties.message_id
    assert first.properties is not second.properties
    assert first.properties.delivery_mode == 2


async def delete(place: AmqpPlace, *, queue: str = "", exchange: str = "") -> None:
    async with aiormq.connect(place.url) as connection:
        channel = await connection.channel()
        if queue:
            await channel.queue_delete(queue)
        if exchange:
            await channel.exchange_delete(exchange)


async def declare_only(
    place: AmqpPlace, *, exchange: str, queue: str, key: str, length_max: int = 0, overflow: str = ""
) -> None:
    arguments: FieldTable = {"x-queue-type": "quorum"}
    if length_max:
        arguments |= {"x-max-length": length_max, "x-overflow": overflow}
    async with aiormq.connect(place.url) as connection:
        channel = await connection.channel()
        await channel.exchange_declare(exchange, exchange_type="direct", durable=True)
        await channel.queue_declare(queue, durable=True, arguments=arguments)
        await channel.queue_bind(queue, exchange, key)
