"""Everything with a time: due jobs, overdue retries, ended times to live, late stop requests."""

import asyncio
from datetime import timedelta

import pytest

from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.ports.message_bus import ToDead
from jobmill.domain.states import Fact, JobState, Target

from tests.builders import SECOND
from tests.nodes import Node
from tests.world import World


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


async def test_a_scheduled_job_is_queued_when_its_time_has_come(world: World, node: Node) -> None:
    job = await world.submit(delay=10 * SECOND)
    assert world.job(job).state is JobState.SCHEDULED
    assert world.tables.outbox == {}

    await world.passes(9.9)
    assert await node.scheduler.step() == 0
    await world.passes(0.1)
    assert await node.scheduler.step() == 1

    assert world.job(job).state is JobState.QUEUED
    [row] = world.tables.outbox.values()
    assert (row.fence, row.target) == (world.job(job).fence, Target.QUEUE)


async def test_a_retry_whose_notice_was_lost_is_released_once(world: World, node: Node) -> None:
    job = world.has()
    waiting = job.defer(2 * SECOND, "x", now=world.clock.now(), stamp=1)
    await world.client.commits.save([waiting])
    world.tables.outbox.clear()
    world.broker_loses_everything()

    await world.passes(33)
    assert await node.scheduler.step() == 0
    await world.passes(2)
    assert await node.scheduler.step() == 1
    assert await node.scheduler.step() == 0

    row = world.job(job)
    assert (row.state, row.version) == (JobState.QUEUED, 3)
    assert len(world.tables.outbox) == 1


async def test_a_retry_beyond_the_ladder_is_released_at_its_time(world: World, node: Node) -> None:
    job = world.has()
    waiting = job.defer(timedelta(hours=2), "x", now=world.clock.now(), stamp=1)
    await world.client.commits.save([waiting])
    assert world.tables.outbox == {}

    await world.passes(7_200)
    await node.scheduler.step()

    assert world.job(job).state is JobState.QUEUED


@pytest.mark.parametrize("state", [JobState.SCHEDULED, JobState.QUEUED, JobState.RETRYING])
async def test_what_may_start_no_more_expires_with_a_copy_for_the_dead_letters(
    world: World, node: Node, state: JobState
) -> None:
    job = world.has(state, ttl=SECOND, expires_at=world.clock.now())

    await node.scheduler.step()
    assert world.job(job).state is JobState.EXPIRED

    relaying = asyncio.create_task(node.relay.run())
    await node.relay.drained(within_s=1)
    relaying.cancel()
    [letter] = world.broker.dead["default"]
    assert letter.destination == ToDead(queue="default")


async def test_what_runs_does_not_expire(world: World, node: Node) -> None:
    job = world.has(JobState.PROCESSING, expires_at=world.clock.now())

    assert await node.scheduler.step() == 0
    assert world.job(job).state is JobState.PROCESSING


async def test_a_job_that_is_due_and_over_its_time_expires(world: World, node: Node) -> None:
    now = world.clock.now()
    job = world.has(JobState.SCHEDULED, wake_at=now, run_at=now, expires_at=now)

    await node.scheduler.step()

    assert world.job(job).state is JobState.EXPIRED


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RETRYING])
async def test_a_waiting_job_that_was_asked_to_stop_is_cancelled(
    world: World, node: Node, state: JobState
) -> None:
    job = world.has(state, stop_asked=True)

    await node.scheduler.step()

    assert world.job(job).state is JobState.CANCELLED


async def test_two_schedulers_move_a_job_once(world: World, node: Node) -> None:
    other = world.node(starts=False)
    for _ in range(50):
        world.has(JobState.SCHEDULED, wake_at=world.clock.now())

    await asyncio.gather(node.scheduler.step(), other.scheduler.step())

    assert {row.version for row in world.tables.jobs.values()} == {2}
    assert len(world.tables.outbox) == 50
    assert len(node.notes.facts) + len(other.notes.facts) == 50


async def test_a_great_many_are_moved_in_pages_and_a_step_is_bounded(world: World, node: Node) -> None:
    for _ in range(10_200):
        world.has(JobState.SCHEDULED, wake_at=world.clock.now())

    assert await node.scheduler.step() == 10_000
    assert await node.scheduler.step() == 200
    assert node.notes.facts.count(Fact.RELEASED) == 10_200


@pytest.mark.parametrize("error", [StorageUnavailable("away"), StorageUnknown("cut off")])
async def test_trouble_with_the_store_is_told(world: World, node: Node, error: Exception) -> None:
    world.has(JobState.SCHEDULED, wake_at=world.clock.now())

    def trouble(moment: str) -> None:
        if moment == "before jobs.save":
            raise error

    node.cable.trouble = trouble
    with pytest.raises(type(error)):
        await node.scheduler.step()
