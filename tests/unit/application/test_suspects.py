"""A job that may have killed its worker: never beside another such job, and never in the way of the rest."""

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from jobmill.application.errors import StorageUnavailable
from jobmill.application.handlers import JobContext
from jobmill.application.hold_times import SUSPECT_AWAY, SUSPECT_TRIAL_S
from jobmill.application.ports.message_bus import Parcel, PublishOutcome
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import a_stamp
from tests.nodes import NODE, Node
from tests.unit.application.lanes import active, takes_a_while
from tests.world import World


@pytest.fixture
async def world() -> World:
    """Handlers that take as long as they are told, and a broker that shows our marker."""
    made = World(work=takes_a_while)
    await made.node(starts=False).reconciler.step()
    return made


async def announced(
    world: World, count: int, *, suspect: bool, seconds: int = 50, attempt: int | None = None
) -> list[Job]:
    """Jobs whose notices are with the broker; a suspect has its last attempt before it."""
    attempt = attempt if attempt is not None else 2 if suspect else 0
    payload = f'{{"s":{seconds}}}'
    jobs = [world.has(suspect=suspect, payload=payload, attempt=attempt) for _ in range(count)]
    rows = [a_stamp() for _ in jobs]
    notices = await world.client.store.outbox.announce([job.fence for job in jobs], rows=rows)
    world.client.relay.offer([notice for notice in notices if notice])
    await world.turns()
    return jobs


def running(world: World, jobs: list[Job]) -> list[Node | None]:
    """Where these jobs run."""
    return [ran.node for job in jobs for ran in world.runs_of(job) if ran.is_believed]


async def test_a_job_that_kills_its_workers_costs_no_neighbour_its_last_attempt() -> None:
    async def work(payload: Mapping[str, Any], context: JobContext) -> object:
        await asyncio.sleep(SUSPECT_TRIAL_S / 2)
        if payload.get("poison"):
            node = NODE.get()
            assert node is not None
            node.kill()
        await asyncio.sleep(5)
        return None

    world = World(work=work)
    node = world.node(concurrency=10)
    await world.passes(3)
    poison = await world.submit(payload={"poison": True})
    await world.submit(count=40)

    for _ in range(600):
        if not node.is_alive:
            node = world.node(concurrency=10)
        await world.passes(1)

    rest = [job for job in world.tables.jobs.values() if job.id != poison.id]
    assert world.job(poison).state is JobState.FAILED
    assert len(world.runs_of(poison)) == 3
    assert {job.state for job in rest} == {JobState.SUCCEEDED}


async def test_a_suspect_that_has_killed_nobody_for_a_while_lets_the_next_begin(world: World) -> None:
    """Else a killed worker's long jobs would run one after the other."""
    suspects = await announced(world, 5, suspect=True, attempt=1)
    world.node(concurrency=10)

    await world.passes(SUSPECT_TRIAL_S / 2)
    assert len(running(world, suspects)) == 1
    await world.until(lambda: len(running(world, suspects)) == 5, within_s=40)

    starts = sorted(ran.started_s for ran in world.runs)
    assert all(later - earlier >= SUSPECT_TRIAL_S - 0.001 for earlier, later in pairwise(starts))


async def test_a_worker_runs_one_suspect_at_a_time_and_whatever_else_there_is(world: World) -> None:
    suspects = await announced(world, 3, suspect=True)
    await announced(world, 20, suspect=False)
    world.node(concurrency=10)
    await world.passes(5)
    assert (active(world), len(running(world, suspects))) == (10, 1)

    for _ in range(230):
        await world.passes(1)
        assert len(running(world, suspects)) <= 1

    assert set(world.states()) == {JobState.SUCCEEDED}
    assert len(world.runs) == 23


async def test_a_suspect_that_has_to_wait_goes_to_another_worker(world: World) -> None:
    suspects = await announced(world, 2, suspect=True)
    first, second = world.node(), world.node()

    await world.until(lambda: len(running(world, suspects)) == 2, within_s=30)

    assert set(running(world, suspects)) == {first, second}


async def test_the_next_suspect_begins_when_the_one_before_has_ended(world: World) -> None:
    await announced(world, 4, suspect=True, seconds=1)
    world.node()

    await world.passes(12)

    assert world.states() == 4 * [JobState.SUCCEEDED]


async def test_a_suspect_that_needs_no_run_holds_up_no_other(world: World) -> None:
    gone, other = await announced(world, 2, suspect=True, seconds=1)
    world.tables.jobs[gone.id] = gone.cancel(now=world.clock.now(), stamp=a_stamp()).job
    world.node()

    await world.passes(3)

    assert world.job(other).state is JobState.SUCCEEDED


async def test_a_suspect_that_could_not_be_claimed_is_claimed_later(world: World) -> None:
    suspects = await announced(world, 2, suspect=True, seconds=1)
    troubles = [StorageUnavailable("away")]

    def trouble(moment: str) -> None:
        if moment == "before jobs.save" and troubles:
            raise troubles.pop()

    worker = world.node()
    worker.cable.trouble = trouble
    await world.passes(30)

    assert [world.job(job).state for job in suspects] == 2 * [JobState.SUCCEEDED]


async def test_a_suspect_starts_by_its_own_notice_and_by_no_earlier_one(world: World) -> None:
    """An earlier one may be in a parcel with others, and from there nobody would know what it is."""
    [job] = await announced(world, 1, suspect=False, seconds=1)
    due = world.clock.now()
    suspect = world.has(JobState.RETRYING, id=job.id, suspect=True, payload='{"s":1}', retry_at=due)
    world.node()

    await world.passes(2)
    assert world.runs == []

    # Nobody sent its own notice, so it is released when it is overdue.
    await world.passes(60)
    assert world.job(suspect).state is JobState.SUCCEEDED


async def test_many_waiting_suspects_let_others_pass(world: World) -> None:
    """Each stays a quarter of a second, a few at a time, and then comes back at the end of the line."""
    await announced(world, 60, suspect=True, seconds=1_000)
    others = await announced(world, 5, suspect=False, seconds=1)
    world.node()

    await world.until(lambda: all(world.job(job).state is JobState.SUCCEEDED for job in others), within_s=20)


async def test_a_waiting_suspect_does_not_come_straight_back_to_an_idle_lane(world: World) -> None:
    await announced(world, 2, suspect=True, seconds=40)
    worker = world.node()
    sent: list[Parcel] = []

    def note(moment: str, parcel: Parcel) -> PublishOutcome | None:
        if moment == "after":
            sent.append(parcel)
        return None

    worker.bus.faults = note
    await world.passes(39)

    assert 1 < len(sent) <= 39 / SUSPECT_AWAY.total_seconds()
