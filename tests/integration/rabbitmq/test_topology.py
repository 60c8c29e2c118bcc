"""The topology is created as documented, found again unchanged, and never bent by force."""

from collections.abc import AsyncGenerator

import aiormq
import pytest
import pytest_asyncio
from aiormq.abc import AbstractChannel, FieldTable

from jobmill.adapters.rabbitmq import RabbitBus, RabbitTopology, desired_topology
from jobmill.adapters.rabbitmq.desired import Binding
from jobmill.application.errors import BrokerUnavailable, SetupFault
from jobmill.application.fair_queues import FairQueues
from jobmill.application.ports.message_bus import Lane, PublishOutcome, ToDead, ToLane
from jobmill.application.ports.topology import PlanItem, PlanVerb
from jobmill.domain.states import Priority

from tests.integration.rabbitmq.words import LANE, parcel
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until


@pytest_asyncio.fixture
async def channel(amqp: AmqpPlace) -> AsyncGenerator[AbstractChannel]:
    """A client with all rights and no manners."""
    connection = await aiormq.connect(amqp.url)
    yield await connection.channel()
    await connection.close()


def test_the_topology_is_the_one_of_the_documentation() -> None:
    desired = desired_topology("mill", ["email"])
    queues = {queue.name: dict(queue.arguments) for queue in desired.queues}
    exchanges = {exchange.name: exchange.kind for exchange in desired.exchanges}
    bindings = {(binding.exchange, binding.key, binding.queue) for binding in desired.bindings}
    rungs = [2**power for power in range(13)]

    assert exchanges == {
        "mill": "direct",
        "mill.dead": "direct",
        "mill.ingress": "direct",
        "mill.events": "topic",
    } | {f"mill.retry.{rung}": "fanout" for rung in rungs}
    assert set(queues) == {f"mill.retry.{rung}" for rung in rungs} | {
        "mill.email.high",
        "mill.email.normal",
        "mill.email.low",
        "mill.email.dead",
        "mill.ingress",
        "mill.epoch",
    }
    assert queues["mill.email.low"] == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 100,
        "x-dead-letter-exchange": "mill.dead",
        "x-dead-letter-routing-key": "email",
    }
    assert queues["mill.retry.4096"] == {
        "x-queue-type": "quorum",
        "x-message-ttl": 4_096_000,
        "x-dead-letter-exchange": "mill",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    assert queues["mill.email.dead"] == {
        "x-queue-type": "quorum",
        "x-max-length": 1_000_000,
        "x-overflow": "drop-head",
    }
    assert ("mill", "email.high", "mill.email.high") in bindings
    assert ("mill.dead", "email", "mill.email.dead") in bindings
    assert ("mill.retry.1", "", "mill.retry.1") in bindings


def test_a_fair_queue_has_a_lane_for_each_share_and_nothing_else_changes() -> None:
    plain = desired_topology("mill", ["email", "sms"])
    fair = desired_topology("mill", ["email", "sms"], fair=FairQueues(shares={"sms": 3}))
    queues = {queue.name: queue.arguments for queue in fair.queues}
    more = {f"sms.{priority}.{share}" for priority in ("high", "normal", "low") for share in (1, 2)}

    assert set(queues) - {queue.name for queue in plain.queues} == {f"mill.{lane}" for lane in more}
    assert [queue for queue in fair.queues if queue in plain.queues] == list(plain.queues)
    assert queues["mill.sms.low.2"] == queues["mill.sms.low"]
    assert fair.exchanges == plain.exchanges
    assert set(fair.bindings) - set(plain.bindings) == {
        Binding(exchange="mill", queue=f"mill.{lane}", key=lane) for lane in more
    }


async def test_a_queue_becomes_fair_and_plain_again_with_all_its_old_lanes_kept(amqp: AmqpPlace) -> None:
    amqp.uses("default", shares=3)

    def topology(shares: dict[str, int]) -> RabbitTopology:
        fair = FairQueues(shares=shares)
        return RabbitTopology([amqp.url], prefix=amqp.prefix, queues=["default"], fair=fair)

    await topology({}).apply()
    with pytest.raises(SetupFault, match=r"lacks .*default\.high\.1"):
        await topology({"default": 3}).verify()
    made = await topology({"default": 3}).apply()
    await topology({"default": 3}).verify()
    afterwards = await topology({}).plan()

    assert sum(item.verb is PlanVerb.CREATE for item in made) == 6
    assert {item.verb for item in afterwards} == {PlanVerb.KEEP}


async def test_a_plan_creates_nothing(topology: RabbitTopology) -> None:
    first, second = await topology.plan(), await topology.plan()

    assert {item.verb for item in first} == {PlanVerb.CREATE}
    assert first == second
    with pytest.raises(SetupFault, match="topology apply"):
        await topology.verify()


async def test_what_was_applied_once_is_found_unchanged(topology: RabbitTopology) -> None:
    await topology.apply()
    again = await topology.apply()

    await topology.verify()
    assert {item.verb for item in again} == {PlanVerb.KEEP}
    assert len(again) == 17 + 4 + 13 + 2


async def test_applying_creates_only_what_is_missing(
    applied: AmqpPlace, topology: RabbitTopology, channel: AbstractChannel
) -> None:
    lost = f"{applied.prefix}.default.high"
    await channel.queue_delete(lost)

    plan = await topology.apply()

    assert [item for item in plan if item.verb is not PlanVerb.KEEP] == [
        PlanItem(kind="queue", name=lost, verb=PlanVerb.CREATE)
    ]
    await topology.verify()


async def test_applying_binds_again_what_somebody_has_unbound(
    bus: RabbitBus, applied: AmqpPlace, topology: RabbitTopology, channel: AbstractChannel
) -> None:
    await channel.queue_unbind(f"{applied.prefix}.{LANE}", applied.prefix, str(LANE))
    assert await bus.publish([parcel()]) == [PublishOutcome.UNROUTABLE]

    await topology.apply()

    assert await bus.publish([parcel()]) == [PublishOutcome.CONFIRMED]


async def test_a_queue_with_other_arguments_is_named_and_nothing_is_changed(
    amqp: AmqpPlace, topology: RabbitTopology, channel: AbstractChannel
) -> None:
    clashing = f"{amqp.prefix}.retry.4"
    await channel.queue_declare(
        clashing, durable=True, arguments=desired_arguments(amqp, clashing) | {"x-message-ttl": 5_000}
    )

    with pytest.raises(SetupFault) as refusal:
        await topology.apply()

    words = str(refusal.value)
    assert clashing in words
    assert "x-message-ttl" in words
    assert "delete it" in words
    by_name = {(item.kind, item.name): item.verb for item in await topology.plan()}
    assert by_name.pop(("queue", clashing)) is PlanVerb.CLASH
    assert set(by_name.values()) == {PlanVerb.CREATE}


def desired_arguments(place: AmqpPlace, name: str) -> FieldTable:
    [found] = [queue for queue in desired_topology(place.prefix, ["default"]).queues if queue.name == name]
    return dict(found.arguments)


async def test_an_exchange_of_another_kind_is_named(
    amqp: AmqpPlace, topology: RabbitTopology, channel: AbstractChannel
) -> None:
    await channel.exchange_declare(f"{amqp.prefix}.events", exchange_type="fanout", durable=True)

    with pytest.raises(SetupFault, match=rf"{amqp.prefix}\.events.*type"):
        await topology.apply()


async def test_applying_the_topology_makes_no_marker(bus: RabbitBus) -> None:
    assert await bus.epoch() is None


async def test_the_copy_of_a_dead_letter_arrives_in_the_dead_queue(
    bus: RabbitBus, applied: AmqpPlace, channel: AbstractChannel
) -> None:
    outcomes = await bus.publish([parcel(b"dead", ToDead(queue="default"))])

    message = await channel.basic_get(f"{applied.prefix}.default.dead", no_ack=True)
    assert outcomes == [PublishOutcome.CONFIRMED]
    assert message.body == b"dead"


@pytest.mark.parametrize("priority", list(Priority))
async def test_what_the_broker_gives_up_lands_in_the_dead_queue_of_its_queue(
    bus: RabbitBus, applied: AmqpPlace, channel: AbstractChannel, priority: Priority
) -> None:
    lane = Lane(queue="default", priority=priority)
    await bus.publish([parcel(b"poison", ToLane(lane=lane))])

    given_up = await channel.basic_get(f"{applied.prefix}.{lane}")
    assert given_up.delivery_tag is not None
    await channel.basic_reject(given_up.delivery_tag, requeue=False)

    async def arrived() -> bool:
        dead = await channel.basic_get(f"{applied.prefix}.default.dead", no_ack=True)
        return dead.body == b"poison"

    assert await until(arrived, within_s=10.0)


async def test_a_topology_can_be_read_from_the_second_address_when_the_first_is_away(
    applied: AmqpPlace,
) -> None:
    urls = ["amqp://guest:guest@127.0.0.1:1/", applied.url]
    await RabbitTopology(urls, prefix=applied.prefix, queues=["default"]).verify()

    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:1"):
        await RabbitTopology(urls[:1], prefix=applied.prefix, queues=["default"]).verify()
