"""A barrier on its way: sent once, replaced when it is lost, and believed only if it is the last one."""

import asyncio

import pytest
from attrs import evolve

from jobmill.application.codec.barriers import encode_barrier
from jobmill.application.errors import StorageUnavailable
from jobmill.application.fair_queues import NONE_FAIR
from jobmill.application.lost_notices import PATIENCE
from jobmill.application.ports.barriers import Barrier
from jobmill.application.ports.message_bus import Lane, Parcel, PublishOutcome, ToLane
from jobmill.application.reconciler import REFILL_PAGE

from tests.nodes import Node
from tests.unit.application.lanes import takes_a_while
from tests.unit.application.lost import ACK_S, LANE, SLACK_S, STEP_S, barriers_in, lose_barriers, steps_for
from tests.world import World


@pytest.fixture
async def world() -> World:
    """Handlers that take as long as they are told, and a broker that shows our marker."""
    made = World(work=takes_a_while)
    await made.node(starts=False).reconciler.step()
    return made


@pytest.fixture
async def node(world: World) -> Node:
    """A process that does the chores when told, and receives nothing."""
    node = world.node(starts=False)
    node.relaying = asyncio.create_task(node.relay.run())  # type: ignore[attr-defined]
    return node


async def test_a_barrier_that_was_lost_is_replaced(world: World, node: Node) -> None:
    job = world.has(payload="{}")
    await world.passes(SLACK_S + 1)
    await node.reconciler.step()
    assert lose_barriers(world) == 1

    await steps_for(node, ACK_S)
    assert barriers_in(world) == []
    await steps_for(node, 2 * STEP_S)

    assert len(barriers_in(world)) == 1
    assert world.job(job).announces == 0


async def test_a_barrier_that_somebody_holds_for_a_moment_is_not_replaced(world: World, node: Node) -> None:
    world.has(payload="{}")
    await world.passes(SLACK_S + 1)
    await node.reconciler.step()

    await steps_for(node, PATIENCE.total_seconds() - STEP_S)

    assert len(barriers_in(world)) == 1


async def test_a_barrier_lost_in_a_lane_that_is_never_empty_is_replaced_in_the_end(
    world: World, node: Node
) -> None:
    await world.submit()
    await world.passes(SLACK_S + 1)
    await node.reconciler.step()
    assert lose_barriers(world) == 1

    await steps_for(node, PATIENCE.total_seconds() + STEP_S)
    assert lose_barriers(world) == 1

    await steps_for(node, PATIENCE.total_seconds() + STEP_S)
    assert barriers_in(world) == []
    await steps_for(node, PATIENCE.total_seconds())
    assert len(barriers_in(world)) == 1


@pytest.mark.parametrize(
    "outcome", [PublishOutcome.REFUSED, PublishOutcome.UNROUTABLE, PublishOutcome.UNKNOWN]
)
async def test_a_barrier_that_the_broker_did_not_take_is_sent_again(
    world: World, node: Node, outcome: PublishOutcome
) -> None:
    world.has(payload="{}")
    await world.passes(SLACK_S + 1)
    node.bus.faults = lambda moment, _parcel: outcome if moment == "before" else None
    await node.reconciler.step()
    assert barriers_in(world) == []

    node.bus.faults = lambda _moment, _parcel: None
    await node.reconciler.step()

    assert len(barriers_in(world)) == 1


async def test_two_leaders_send_one_barrier(world: World, node: Node) -> None:
    other = world.node(starts=False)
    world.has(payload="{}")
    await world.passes(SLACK_S + 1)

    await asyncio.gather(node.reconciler.step(), other.reconciler.step())
    await other.reconciler.step()

    assert len(barriers_in(world)) == 1


async def test_a_lane_that_does_not_exist_gets_no_barrier(world: World, node: Node) -> None:
    world.has(payload="{}")
    world.broker.drop_queue("default")
    await world.passes(SLACK_S + 1)
    await node.reconciler.step()

    assert world.tables.barriers == {}

    world.broker.add_queue("default")
    await node.reconciler.step()
    assert len(barriers_in(world)) == 1


async def test_a_broker_that_cannot_be_asked_gets_no_barrier(world: World, node: Node) -> None:
    world.has(payload="{}")
    await world.passes(SLACK_S + 1)

    def goes(moment: str) -> None:
        if moment == "after barriers.wanted":
            node.bus.disconnect()

    node.cable.trouble = goes
    await node.reconciler.step()

    assert world.tables.barriers == {}
    assert "lanes cannot be looked at" in node.notes.names


async def test_a_lane_is_judged_by_its_own_barrier_alone(world: World, node: Node) -> None:
    """While that of another lane has long been back."""
    lost, waiting = world.has(queue="other"), world.has()
    await world.passes(SLACK_S + 1)
    before = world.clock.now()
    for job in (lost, waiting):
        barrier = Barrier(id=node.entropy.job_id(), lane=NONE_FAIR.lane_of(job), judges_before=before)
        await node.store.barriers.begin(barrier, replaces=None)
        await node.store.barriers.came_back(barrier)
        await world.passes(ACK_S)

    await node.reconciler.step()

    assert (world.job(lost).announces, world.job(waiting).announces) == (1, 0)


async def test_while_a_broker_is_refilled_there_are_no_barriers(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobmill.application.reconciler._REFILL_PAGES_MAX", 1)
    for _ in range(2 * REFILL_PAGE + 10):
        world.has()
    await world.passes(SLACK_S + 1)
    world.broker_loses_everything()

    for _ in range(2):
        await node.reconciler.step()
        assert world.tables.epoch.refilling
    await node.reconciler.step()

    assert world.broker.epoch == world.tables.epoch.epoch
    assert world.tables.barriers == {}


# ---- barriers that prove nothing


async def test_a_barrier_from_before_proves_nothing(world: World, node: Node) -> None:
    job = world.has(payload="{}")
    await world.passes(SLACK_S + 1)
    await node.reconciler.step()
    [barrier] = barriers_in(world)
    lose_barriers(world)
    forged = [
        evolve(barrier, id=node.entropy.job_id()),
        evolve(barrier, lane=evolve(LANE, queue="other")),
    ]
    await node.bus.publish(
        [*(_parcel(each) for each in forged), _parcel(barrier, evolve(LANE, queue="other"))]
    )

    worker = world.node(leads=False)
    await world.passes(1)

    assert world.ready == world.unanswered == 0
    assert worker.notes.names.count("barrier from before put away") == 3
    assert world.tables.barriers[LANE].seen_at is None
    assert world.tables.quarantine == {}
    assert world.job(job).announces == 0


async def test_a_damaged_barrier_is_quarantined(world: World, node: Node) -> None:
    world.has(payload="{}")
    await world.passes(SLACK_S + 1)
    await node.reconciler.step()
    [barrier] = barriers_in(world)
    lose_barriers(world)
    whole = _parcel(barrier)
    await node.bus.publish([evolve(whole, body=whole.body[:-2])])

    world.node(leads=False)
    await world.passes(1)

    assert [each.body for each in world.tables.quarantine.values()] == [whole.body[:-2]]
    assert world.tables.barriers[LANE].seen_at is None


async def test_a_barrier_is_acknowledged_only_when_it_is_noted(world: World, node: Node) -> None:
    world.has(payload="{}")
    await world.passes(SLACK_S + 1)
    await node.reconciler.step()
    troubles = [StorageUnavailable("away")]

    def trouble(moment: str) -> None:
        if moment == "before barriers.came_back" and troubles:
            raise troubles.pop()

    worker = world.node(leads=False)
    worker.cable.trouble = trouble
    await world.passes(1)
    assert world.unanswered == 1
    await world.passes(2)

    assert world.ready == world.unanswered == 0
    assert world.tables.barriers[LANE].seen_at is not None


def _parcel(barrier: Barrier, lane: Lane = LANE) -> Parcel:
    return Parcel(destination=ToLane(lane=lane), body=encode_barrier(barrier), content_type="x", headers={})
