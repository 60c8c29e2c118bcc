"""A notice that a living broker loses is found by the barrier, and nothing else is announced twice."""

import asyncio
from typing import Final

import pytest

from jobmill.application.codec.barriers import open_barrier
from jobmill.application.codec.parcels import open_parcel
from jobmill.application.ports.message_bus import Parcel, PublishOutcome, ToLane
from jobmill.domain.failure import FailureKind
from jobmill.domain.job import ANNOUNCES_MAX
from jobmill.domain.states import JobState

from tests.nodes import Node
from tests.unit.application.lanes import takes_a_while
from tests.unit.application.lost import (
    ACK_S,
    LANE,
    SLACK_S,
    STEP_S,
    barriers_in,
    barriers_sent_by,
    copies,
    lose,
    steps_for,
)
from tests.world import World

#: From the loss of a notice in an idle lane to its replacement: a barrier is wanted, and judges.
FOUND_S: Final = SLACK_S + ACK_S + SLACK_S + 3 * STEP_S


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


async def test_a_lost_notice_in_an_idle_lane_is_announced_again(world: World) -> None:
    job = await world.submit(payload={"s": 1})
    await world.turns()
    lose(world, job)
    world.node()

    await world.until(lambda: world.job(job).state is JobState.SUCCEEDED, within_s=FOUND_S + 1)

    assert len(world.runs) == 1


async def test_a_lost_notice_under_constant_load_is_announced_again(world: World) -> None:
    """The lane is never empty: what waits is always as much as a worker does in twenty seconds."""
    world.node(concurrency=10)
    await world.submit(count=200, payload={"s": 1})

    async def load() -> None:
        while True:
            await world.submit(count=5, payload={"s": 1})
            await asyncio.sleep(0.5)

    loading = asyncio.create_task(load())
    await world.passes(5)
    victim = await world.submit(payload={"s": 1})
    await world.turns()
    lose(world, victim)
    transit_s = 25
    started_s = asyncio.get_running_loop().time()

    # Once behind the backlog as a barrier and once as a notice.
    await world.until(lambda: world.runs_of(victim), within_s=FOUND_S + 2 * transit_s)

    loading.cancel()
    assert asyncio.get_running_loop().time() - started_s > ACK_S
    assert {job.announces for job in world.tables.jobs.values() if job.id != victim.id} == {0}
    assert all(len(world.runs_of(job)) <= 1 for job in world.tables.jobs.values())


@pytest.mark.parametrize("concurrency", [1, 10])
async def test_an_honest_backlog_is_never_multiplied(world: World, concurrency: int) -> None:
    """Full workers send parcels back to the end of the line, behind any barrier, again and again."""
    for _ in range(2):
        world.node(concurrency=concurrency)
    await world.submit(count=40 * concurrency, payload={"s": 10})

    for _ in range(260):
        await world.passes(1)
        assert max(copies(world).values(), default=0) <= 1

    assert world.states() == 40 * concurrency * [JobState.SUCCEEDED]
    assert len(world.runs) == 40 * concurrency
    assert {job.announces for job in world.tables.jobs.values()} == {0}


async def test_jobs_that_nobody_serves_are_not_announced_again(world: World, node: Node) -> None:
    await world.submit(count=100)

    await steps_for(node, 3_600)

    assert max(copies(world).values()) == 1
    assert len(barriers_in(world)) <= 4  # one, and another for each doubling of the patience
    assert {job.announces for job in world.tables.jobs.values()} == {0}


async def test_a_lane_that_was_emptied_by_hand_comes_back_whole(world: World) -> None:
    for _ in range(2):
        await world.submit(count=600, payload={"s": 0})
    await world.turns()
    world.broker.line(LANE).ready.clear()
    world.node(concurrency=100)

    await world.passes(FOUND_S + 3 * STEP_S)

    assert world.states() == 1_200 * [JobState.SUCCEEDED]
    assert len(world.runs) == 1_200


async def test_no_barriers_go_through_idle_lanes(world: World) -> None:
    sent = barriers_sent_by(world.node(), world.node())
    for _ in range(20):
        await world.submit(count=10, payload={"s": 1})
        await world.passes(10)
    await world.passes(600)

    assert sent == []


async def test_after_a_lane_was_put_right_there_are_no_more_barriers(world: World) -> None:
    job = await world.submit(payload={"s": 1})
    await world.turns()
    lose(world, job)
    sent = barriers_sent_by(world.node(), world.node())

    await world.passes(600)

    assert world.job(job).state is JobState.SUCCEEDED
    assert len(sent) == 1


async def test_a_broker_that_was_refilled_is_not_filled_again(world: World) -> None:
    world.node(concurrency=10)
    await world.submit(count=200, payload={"s": 10})
    await world.passes(50)  # a barrier is under way

    world.broker_loses_everything()

    for _ in range(300):
        await world.passes(1)
        assert max(copies(world).values(), default=0) <= 1
    assert world.states() == 200 * [JobState.SUCCEEDED]
    assert {job.announces for job in world.tables.jobs.values()} == {0}


async def test_a_job_whose_notice_is_lost_every_time_fails_as_undeliverable(world: World) -> None:
    """What kills its worker before any claim cannot be told from what the broker loses."""
    parcels: list[int] = []

    def swallow(moment: str, parcel: Parcel) -> PublishOutcome | None:
        if moment == "after" or open_barrier(parcel.body) or not isinstance(parcel.destination, ToLane):
            return None
        jobs = open_parcel(parcel.body).jobs
        if job.id not in {each.id for each in jobs}:
            return None
        parcels.append(len(jobs))
        return PublishOutcome.CONFIRMED

    job, other = [await world.submit(payload={"s": 1}) for _ in range(2)]
    await world.turns()
    lose(world, job)
    lose(world, other)
    worker = world.node()
    worker.bus.faults = swallow

    await world.until(lambda: world.job(job).state is JobState.FAILED, within_s=11 * (FOUND_S + 2 * STEP_S))

    assert world.job(job).error_kind is FailureKind.UNDELIVERABLE
    assert world.job(job).announces == ANNOUNCES_MAX
    assert parcels == [2] + [1] * 9  # alone from the second time on
    assert world.job(other).state is JobState.SUCCEEDED
    assert world.runs_of(job) == []
