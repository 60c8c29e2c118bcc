"""Putting right what a crash left: lapsed leases, an emptied broker, rows that nobody published."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState

from tests.nodes import LEASE, Node
from tests.world import World

TTL_S = LEASE.ttl.total_seconds()


@pytest.fixture
async def node(world: World) -> Node:
    """A process whose relay alone is at work; the test takes the steps."""
    node = world.node(starts=False)
    node.relaying = asyncio.create_task(node.relay.run())  # type: ignore[attr-defined]
    return node


def lapsed(world: World, **facts: Any) -> Job:
    return world.has(JobState.PROCESSING, lease_until=world.clock.now() - timedelta(seconds=60), **facts)


async def trusting(node: Node) -> None:
    """Let the reconciler wait as it must, so that its next step lapses."""
    await node.reconciler.step()
    await asyncio.sleep(TTL_S)


# ---- leases


async def test_a_new_leader_waits_a_whole_lease_before_it_lapses_any(world: World, node: Node) -> None:
    job = lapsed(world)

    await node.reconciler.step()
    await world.passes(TTL_S - 0.1)
    await node.reconciler.step()
    assert world.job(job).state is JobState.PROCESSING

    await world.passes(0.2)
    await node.reconciler.step()
    assert world.job(job).state is JobState.RETRYING


async def test_a_lapsed_job_is_a_suspect_that_is_retried(world: World, node: Node) -> None:
    job = lapsed(world, worker="gone")
    await trusting(node)
    await node.reconciler.step()

    row = world.job(job)
    assert (row.state, row.attempt, row.suspect, row.error_kind) == (
        JobState.RETRYING,
        1,
        True,
        FailureKind.WORKER_LOST,
    )
    assert world.tables.history[job.id][0].worker == "gone"


async def test_a_job_that_kills_every_worker_dies(world: World, node: Node) -> None:
    job = lapsed(world, attempt=3)
    await trusting(node)
    await node.reconciler.step()

    assert world.job(job).state is JobState.FAILED


async def test_a_lapsed_job_that_was_asked_to_stop_is_cancelled(world: World, node: Node) -> None:
    job = lapsed(world, stop_asked=True)
    await trusting(node)
    await node.reconciler.step()

    assert world.job(job).state is JobState.CANCELLED


async def test_a_holder_that_renews_in_the_last_moment_keeps_its_job(world: World, node: Node) -> None:
    job = lapsed(world)
    await trusting(node)

    def renews(moment: str) -> None:
        if moment == "before jobs.save":
            later = world.clock.now() + LEASE.ttl
            world.tables.jobs[job.id] = evolve(world.job(job), lease_until=later)

    node.cable.trouble = renews
    await node.reconciler.step()

    assert world.job(job).state is JobState.PROCESSING


async def test_many_lapsed_jobs_are_taken_in_pages(world: World, node: Node) -> None:
    for _ in range(1_203):
        lapsed(world)
    await trusting(node)

    await node.reconciler.step()

    assert set(world.states()) == {JobState.RETRYING}
    assert node.notes.facts.count(Fact.RETRY_SCHEDULED) == 1_203


async def test_distrust_means_waiting_a_whole_lease_again(world: World, node: Node) -> None:
    await trusting(node)
    node.reconciler.distrust_leases()
    job = lapsed(world)

    await node.reconciler.step()
    await world.passes(TTL_S - 0.1)
    await node.reconciler.step()

    assert world.job(job).state is JobState.PROCESSING


@pytest.mark.parametrize("seconds", [8, 600, -600])
async def test_after_a_jump_of_the_stores_clock_workers_renew_first(
    world: World, node: Node, seconds: int
) -> None:
    await trusting(node)
    await node.reconciler.step()
    job = lapsed(world)

    world.clock.offset += timedelta(seconds=seconds)
    await node.reconciler.step()
    await world.passes(TTL_S - 1)
    await node.reconciler.step()
    assert world.job(job).state is JobState.PROCESSING

    if seconds > 0:
        await world.passes(1.1)
        await node.reconciler.step()
        assert world.job(job).state is JobState.RETRYING


async def test_a_jump_in_the_middle_of_a_step_is_seen(world: World, node: Node) -> None:
    await trusting(node)
    await node.reconciler.step()
    job = world.has(JobState.PROCESSING, lease_until=world.clock.now() + timedelta(seconds=60))

    def jumps(moment: str) -> None:
        if moment == "before leases.lapsed":
            world.clock.offset += timedelta(seconds=600)

    node.cable.trouble = jumps
    await node.reconciler.step()

    assert world.job(job).state is JobState.PROCESSING


async def test_a_save_in_doubt_is_trouble(world: World, node: Node) -> None:
    """So the leader hears of it and distrusts what it sees next."""
    lapsed(world)
    await trusting(node)

    def in_doubt(moment: str) -> None:
        if moment == "before jobs.save":
            raise StorageUnknown("cut off")

    node.cable.trouble = in_doubt
    with pytest.raises(StorageUnknown):
        await node.reconciler.step()


async def test_a_store_that_is_away_is_trouble(world: World, node: Node) -> None:
    node.cable.is_cut = True

    with pytest.raises(StorageUnavailable):
        await node.reconciler.step()


async def test_a_broker_that_is_away_is_no_trouble_for_the_other_chores(world: World, node: Node) -> None:
    job = lapsed(world)
    node.bus.disconnect()
    await trusting(node)

    await node.reconciler.step()

    assert world.job(job).state is JobState.RETRYING
