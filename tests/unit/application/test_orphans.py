"""Jobs of a dead process run again at once, whatever is left of their leases."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from jobmill.application.handlers import JobContext
from jobmill.domain.presence import Incarnation, key_of
from jobmill.domain.states import Fact, JobState

from tests.builders import MINUTE
from tests.nodes import LEASE, Node
from tests.world import World

TTL_S = LEASE.ttl.total_seconds()
#: Found free, found free again two seconds later, and the delay of a second attempt.
SOON_S = 5.0


async def slow(_payload: Mapping[str, Any], _context: JobContext) -> object:
    await asyncio.sleep(8)
    return None


@pytest.mark.parametrize("doomed_leads", [True, False])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.7, 1.1, 1.9])
async def test_the_job_of_a_killed_worker_runs_again_in_seconds(phase: float, doomed_leads: bool) -> None:
    world = World(work=slow)
    first, second = world.node(), world.node()
    await world.passes(5)
    assert first.leader.leads
    doomed, heir = (first, second) if doomed_leads else (second, first)
    heir.bus.disconnect()
    await world.submit()
    await world.passes(1 + phase)
    heir.bus.reconnect()
    assert {ran.node for ran in world.runs} == {doomed}

    doomed.kill()
    killed_s = asyncio.get_running_loop().time()
    await world.until(lambda: len(world.runs) == 2)

    assert asyncio.get_running_loop().time() - killed_s < SOON_S
    assert heir.leader.leads
    await world.passes(60)
    assert world.states() == [JobState.SUCCEEDED]
    assert world.overlaps == []
    [entry] = world.tables.history[world.runs[0].job_id]
    assert entry.failure is not None
    assert entry.failure.message == "the worker's process ended"


@pytest.fixture
async def node(world: World) -> Node:
    """A leader that has looked around."""
    node = world.node()
    await world.passes(10)
    return node


async def test_a_worker_that_never_had_a_lock_is_judged_by_its_lease(world: World, node: Node) -> None:
    lease_until = world.clock.now() + MINUTE
    job = world.has(JobState.PROCESSING, worker="somebody", lease_until=lease_until)

    await world.passes(50)
    assert world.job(job).state is JobState.PROCESSING
    await world.passes(20)
    assert world.job(job).state is not JobState.PROCESSING


async def test_a_lock_that_nobody_saw_held_is_proof_as_well(world: World, node: Node) -> None:
    """The name says that there was one: it died before this leader looked."""
    name = Incarnation(process="gone", key=7).name
    job = world.has(JobState.PROCESSING, worker=name, lease_until=world.clock.now() + MINUTE)

    await world.passes(5)

    assert world.job(job).state is not JobState.PROCESSING


async def test_a_worker_that_begins_between_two_looks_is_not_taken_for_dead(world: World, node: Node) -> None:
    """Its lock is younger than the last look, and its claims are seen before the next."""
    world.work = slow
    await world.passes(0.1)
    newcomer = world.node(leads=False)
    await world.turns()
    name = newcomer.attendance.name
    assert key_of(name) is not None
    job = world.has(JobState.PROCESSING, worker=name, lease_until=world.clock.now() + MINUTE)

    await node.leader._orphans.step()

    assert world.job(job).state is JobState.PROCESSING
    await world.passes(10)
    assert not node.attendance.is_gone(name)
    newcomer.kill()
    await world.passes(5)
    assert node.attendance.is_gone(name)


async def test_the_jobs_of_a_living_worker_are_left_alone(world: World, node: Node) -> None:
    world.work = slow
    await world.submit(count=3)
    await world.passes(30)

    assert world.states() == 3 * [JobState.SUCCEEDED]
    assert len(world.runs) == 3
    assert Fact.RETRY_SCHEDULED not in node.notes.facts


async def test_a_leader_that_lost_sight_of_the_locks_looks_twice_again(world: World, node: Node) -> None:
    name = Incarnation(process="gone", key=7).name
    node.store.presence.sever()
    await world.passes(1)
    job = world.has(JobState.PROCESSING, worker=name, lease_until=world.clock.now() + MINUTE)

    await world.passes(1)
    assert world.job(job).state is JobState.PROCESSING
    await world.passes(4)
    assert world.job(job).state is JobState.SUCCEEDED


async def test_many_orphans_are_taken_in_pages(world: World, node: Node) -> None:
    name = Incarnation(process="gone", key=7).name
    node.bus.disconnect()
    for _ in range(1_203):
        world.has(JobState.PROCESSING, worker=name, lease_until=world.clock.now() + MINUTE)

    await world.passes(5)

    assert set(world.states()) == {JobState.RETRYING}


async def test_whoever_is_surely_alone_takes_every_running_job_of_another_name_at_once(world: World) -> None:
    lease_until = world.clock.now() + MINUTE
    job = world.has(JobState.PROCESSING, worker="an earlier process", lease_until=lease_until)
    world.node(is_alone=True, is_present=False)

    await world.passes(0.5)

    assert world.job(job).state is JobState.SUCCEEDED


async def test_whoever_is_surely_alone_leaves_its_own_jobs_alone(world: World) -> None:
    world.work = slow
    world.node(is_alone=True, is_present=False)
    await world.submit(count=3)
    await world.passes(30)

    assert world.states() == 3 * [JobState.SUCCEEDED]
    assert len(world.runs) == 3
