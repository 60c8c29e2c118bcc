"""A broker that lost everything: noticed by its marker, refilled from the store, and no job is lost by it."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from jobmill.application.handlers import JobContext
from jobmill.application.ports.message_bus import PublishOutcome
from jobmill.domain.states import JobState

from tests.nodes import LEASE, Node
from tests.world import World

TTL_S = LEASE.ttl.total_seconds()


@pytest.fixture
async def node(world: World) -> Node:
    """A process whose relay alone is at work; the test takes the steps."""
    node = world.node(starts=False)
    node.relaying = asyncio.create_task(node.relay.run())  # type: ignore[attr-defined]
    return node


async def test_at_the_first_start_the_marker_is_written(world: World, node: Node) -> None:
    await node.reconciler.step()

    record = world.tables.epoch
    assert record.epoch is not None
    assert (world.broker.epoch, record.refilling) == (record.epoch, False)


async def test_a_broker_that_shows_our_marker_is_left_alone(world: World, node: Node) -> None:
    await node.reconciler.step()
    world.has()
    await node.reconciler.step()

    assert world.tables.outbox == {}
    assert len(node.notes.events) == 1


@pytest.mark.parametrize("marker", [None, "somebody else's"])
async def test_a_broker_that_lost_everything_is_refilled(
    world: World, node: Node, marker: str | None
) -> None:
    await node.reconciler.step()
    before = world.broker.epoch
    jobs = [world.has() for _ in range(3)]
    world.broker_loses_everything()
    world.broker.epoch = marker

    await node.reconciler.step()

    assert {row.fence for row in world.tables.outbox.values()} == {job.fence for job in jobs}
    assert {world.job(job).announces for job in jobs} == {0}
    assert world.broker.epoch not in (None, marker, before)


async def test_a_long_refill_is_done_in_steps_and_the_marker_comes_last(world: World, node: Node) -> None:
    for _ in range(10_300):
        world.has()

    await node.reconciler.step()
    assert len(world.tables.outbox) == 10_000
    assert world.tables.epoch.refilling
    assert world.broker.epoch != world.tables.epoch.epoch

    await node.reconciler.step()
    assert len(world.tables.outbox) == 10_300
    assert world.broker.epoch == world.tables.epoch.epoch
    assert not world.tables.epoch.refilling


async def test_a_broker_wiped_again_during_its_refill_is_refilled_from_the_start(
    world: World, node: Node
) -> None:
    for _ in range(10_300):
        world.has()
    await node.reconciler.step()
    await node.relay.sweep(older_than=timedelta(0))
    first = world.tables.epoch.epoch

    world.broker_loses_everything()
    await node.reconciler.step()
    await node.reconciler.step()

    assert world.tables.epoch.epoch != first
    assert not world.tables.epoch.refilling
    assert len(world.tables.outbox) == 10_300


async def test_a_refill_that_a_crash_cut_off_is_gone_on_with_by_the_next_leader(
    world: World, node: Node
) -> None:
    for _ in range(10_300):
        world.has()
    await node.reconciler.step()
    epoch = world.tables.epoch.epoch
    node.kill()

    await world.node(starts=False).reconciler.step()

    assert (world.tables.epoch.epoch, world.broker.epoch) == (epoch, epoch)
    assert len(world.tables.outbox) == 10_300


async def test_a_broker_that_goes_away_during_its_refill_is_not_marked(world: World, node: Node) -> None:
    world.has()

    def goes(moment: str) -> None:
        if moment == "after epochs.refill":
            node.bus.disconnect()

    node.cable.trouble = goes
    await node.reconciler.step()
    assert world.tables.epoch.refilling
    assert world.broker.epoch != world.tables.epoch.epoch

    node.cable.trouble = lambda _moment: None
    node.bus.reconnect()
    await node.reconciler.step()
    assert world.broker.epoch == world.tables.epoch.epoch


async def test_rows_that_a_crash_left_are_published(world: World, node: Node) -> None:
    world.client.bus.disconnect()
    await world.submit(count=3)
    await world.passes(6)

    await node.reconciler.step()

    assert world.ready == 1
    assert world.tables.outbox == {}


async def test_losing_the_whole_broker_loses_no_job() -> None:
    async def work(_payload: Mapping[str, Any], context: JobContext) -> object:
        await asyncio.sleep(1)
        if context.attempt == 1:
            raise ConnectionError("so that some wait in the ladder")
        return None

    world = World(work=work)
    world.node()
    await world.submit(count=100)
    await world.passes(2.5)

    world.broker_loses_everything()
    await world.passes(120)

    assert world.states() == 100 * [JobState.SUCCEEDED]


async def test_a_restart_resumes_every_unfinished_job() -> None:
    async def work(payload: Mapping[str, Any], _context: JobContext) -> object:
        await asyncio.sleep(payload.get("s", 0))
        return None

    world = World(work=work)
    first = world.node()
    await world.submit(count=30, payload={"s": 2})
    await world.submit(delay=timedelta(seconds=40))
    await world.passes(1)
    first.kill()
    world.broker_loses_everything()

    world.node()
    await world.passes(100)

    assert world.states() == 31 * [JobState.SUCCEEDED]


async def test_without_a_presence_lock_a_killed_workers_jobs_run_again_only_after_their_leases() -> None:
    async def work(_payload: Mapping[str, Any], _context: JobContext) -> object:
        await asyncio.sleep(8)
        return None

    world = World(work=work)
    doomed = world.node(is_present=False)
    await world.submit(count=5)
    await world.passes(7)
    world.node(is_present=False)
    doomed.kill()
    await world.passes(200)

    assert world.states() == 5 * [JobState.SUCCEEDED]
    assert world.overlaps == []
    assert min(ran.started_s for ran in world.runs if ran.node is not doomed) >= 5 + TTL_S


async def test_a_bus_that_does_not_answer_is_no_wipe(world: World, node: Node) -> None:
    await node.reconciler.step()
    epoch = world.broker.epoch
    node.bus.faults = lambda _moment, _parcel: PublishOutcome.UNKNOWN
    await node.reconciler.step()

    assert world.broker.epoch == epoch
