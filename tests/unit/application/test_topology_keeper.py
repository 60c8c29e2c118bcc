"""Queues that somebody deleted are made again, without anybody being asked."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from attrs import define, field

from jobmill.application.errors import BrokerUnavailable, SetupFault
from jobmill.application.ports.message_bus import PublishOutcome
from jobmill.application.ports.topology import PlanItem, Topology
from jobmill.application.topology_keeper import LOOK_EVERY_S, TopologyKeeper

from tests.nodes import Notes
from tests.world import World

ALL = ("jobmill.default.high", "jobmill.default.normal")


@define(eq=False)
class Broker(Topology):
    """Queues by name."""

    stands: set[str] = field(factory=lambda: set(ALL))
    looks: int = 0
    applied: int = 0
    fault: Exception | None = None

    async def plan(self) -> Sequence[PlanItem]:
        raise AssertionError("a keeper mends, it does not compare")

    async def missing(self) -> Sequence[str]:
        self.looks += 1
        if self.fault is not None:
            raise self.fault
        return [name for name in ALL if name not in self.stands]

    async def apply(self) -> Sequence[PlanItem]:
        self.applied += 1
        self.stands = set(ALL)
        return []

    async def verify(self) -> None:
        raise AssertionError("a keeper mends, it does not verify")


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def keeper(world: World, broker: Broker, notes: Notes) -> TopologyKeeper:
    node = world.node(starts=False)
    return TopologyKeeper(topology=broker, bus=node.bus, relay=node.relay, observer=notes)


async def test_a_queue_that_is_gone_is_made_again(
    keeper: TopologyKeeper, broker: Broker, notes: Notes
) -> None:
    broker.stands.remove(ALL[0])

    await keeper.step()

    assert broker.stands == set(ALL)
    assert notes.events == [
        ("broker lacks queues, creating them", {"missing": [ALL[0]], "refusing": []}),
    ]


async def test_where_all_stands_nothing_is_applied(keeper: TopologyKeeper, broker: Broker) -> None:
    await keeper.step()

    assert (broker.looks, broker.applied) == (1, 0)


async def test_it_looks_now_and_then_not_at_each_step(
    world: World, keeper: TopologyKeeper, broker: Broker
) -> None:
    for _ in range(3):
        await keeper.step()
    assert broker.looks == 1

    await world.passes(LOOK_EVERY_S)
    await keeper.step()

    assert broker.looks == 2


async def test_parcels_without_a_way_are_a_reason_too(world: World, broker: Broker, notes: Notes) -> None:
    """Only a binding is missing: no look can tell."""
    node = world.node(starts=False)
    keeper = TopologyKeeper(topology=broker, bus=node.bus, relay=node.relay, observer=notes)
    node.bus.faults = lambda moment, _parcel: PublishOutcome.UNROUTABLE if moment == "before" else None
    await node.store.outbox.announce([world.has().fence], rows=[1])
    await node.relay.sweep(older_than=timedelta(0))

    await keeper.step()

    assert broker.applied == 1


async def test_without_a_broker_nothing_is_asked(world: World, broker: Broker, notes: Notes) -> None:
    node = world.node(starts=False)
    keeper = TopologyKeeper(topology=broker, bus=node.bus, relay=node.relay, observer=notes)
    node.bus.disconnect()

    await keeper.step()

    assert broker.looks == 0


@pytest.mark.parametrize("fault", [BrokerUnavailable("gone"), SetupFault("no rights")])
async def test_what_it_may_not_do_is_said_once(
    world: World, keeper: TopologyKeeper, broker: Broker, notes: Notes, fault: Exception
) -> None:
    broker.fault = fault
    for _ in range(3):
        await keeper.step()
        await world.passes(LOOK_EVERY_S)

    assert broker.looks == 3
    assert notes.names == ["queues cannot be looked after"]

    broker.fault = None
    await keeper.step()
    broker.fault = fault
    await world.passes(LOOK_EVERY_S)
    await keeper.step()

    assert len(notes.names) == 2
