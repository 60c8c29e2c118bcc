"""Taking jobs: by their notice if it is fresh, by a look at the row if it is not (rules 25 and 26)."""

import asyncio
from datetime import timedelta

import pytest
from attrs import evolve

from jobmill.application.errors import StorageRefused, StorageUnavailable, StorageUnknown
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState

from tests.builders import MINUTE, SECOND, a_job
from tests.nodes import LEASE, Node
from tests.world import World


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


async def claims(node: Node, *jobs: Job) -> list[Job]:
    """The jobs that started; nothing is left undecided."""
    claimed = await node.claimer.claim(jobs)
    assert list(claimed.undecided) == []
    return [run.job for run in claimed.runs]


async def test_a_fresh_notice_is_claimed_without_a_look(world: World, node: Node) -> None:
    job = world.has()
    statements: list[str] = []
    node.cable.trouble = statements.append

    [started] = await claims(node, job)

    assert started == world.job(job)
    assert started.state is JobState.PROCESSING
    assert (started.attempt, started.worker) == (1, node.name)
    assert started.lease_until == world.clock.now() + LEASE.ttl
    assert statements == ["before jobs.save", "after jobs.save"]


async def test_a_parcel_is_claimed_by_one_statement(world: World, node: Node) -> None:
    jobs = [world.has() for _ in range(20)]
    statements: list[str] = []
    node.cable.trouble = statements.append

    assert len(await claims(node, *jobs)) == 20
    assert len(statements) == 2


async def test_a_stale_notice_claims_the_job_as_it_is_now(world: World, node: Node) -> None:
    job = world.has(version=5)

    [started] = await claims(node, evolve(job, version=3))

    assert started.version == 6


async def test_a_notice_with_another_stamp_is_a_stale_one(world: World, node: Node) -> None:
    job = world.has(attempt=1)

    [started] = await claims(node, evolve(job, stamp=job.stamp ^ 1, attempt=0))

    assert started.attempt == 2


@pytest.mark.parametrize("state", [s for s in JobState if s not in {JobState.QUEUED, JobState.RETRYING}])
async def test_what_does_not_wait_needs_nothing(world: World, node: Node, state: JobState) -> None:
    row = world.has(state, version=4)

    assert await claims(node, evolve(row, state=JobState.QUEUED, version=2)) == []
    assert world.job(row) == row


async def test_a_job_that_this_worker_runs_already_needs_nothing(world: World, node: Node) -> None:
    job = world.has()
    [started] = await claims(node, job)

    assert await claims(node, job) == []
    assert world.job(job) == started


async def test_an_unknown_id_is_not_made_from_its_notice(world: World, node: Node) -> None:
    assert await claims(node, a_job(type="work")) == []
    assert world.tables.jobs == {}


async def test_a_job_that_is_not_due_needs_nothing(world: World, node: Node) -> None:
    job = world.has(JobState.RETRYING, retry_at=world.clock.now() + SECOND)

    assert await claims(node, job) == []
    assert world.job(job) == job


async def test_the_stores_clock_decides_what_is_due(world: World, node: Node) -> None:
    job = world.has(JobState.RETRYING, retry_at=world.clock.now() + MINUTE)
    world.clock.offset += MINUTE

    assert [started.id for started in await claims(node, job)] == [job.id]


async def test_a_job_whose_time_is_over_expires(world: World, node: Node) -> None:
    job = world.has(ttl=SECOND, expires_at=world.clock.now())

    assert await claims(node, job) == []
    assert world.job(job).state is JobState.EXPIRED


async def test_a_waiting_job_that_was_asked_to_stop_is_cancelled(world: World, node: Node) -> None:
    job = world.has(stop_asked=True)

    assert await claims(node, evolve(job, stop_asked=False)) == []
    assert world.job(job).state is JobState.CANCELLED


async def test_a_type_that_is_unknown_here_waits_for_a_worker_that_knows_it(world: World, node: Node) -> None:
    job = world.has(type="newer")

    assert await claims(node, job) == []

    row = world.job(job)
    assert row.state is JobState.RETRYING
    assert (row.attempt, row.postpones) == (0, 1)
    assert row.retry_at == world.clock.now() + timedelta(seconds=15)


async def test_an_unknown_type_comes_round_ever_more_seldom(world: World, node: Node) -> None:
    waits = []
    for postpones in (0, 1, 2, 8, 100):
        job = world.has(type="newer", postpones=postpones)
        await claims(node, job)
        retry_at = world.job(job).retry_at
        assert retry_at is not None
        waits.append((retry_at - world.clock.now()).total_seconds())

    assert waits == [15, 30, 60, 600, 600]


async def test_one_bad_notice_costs_its_neighbours_nothing(world: World, node: Node) -> None:
    jobs = [world.has(), world.has(JobState.SUCCEEDED, version=9), world.has()]
    jobs[1] = evolve(jobs[1], state=JobState.QUEUED)

    assert [started.id for started in await claims(node, *jobs)] == [jobs[0].id, jobs[2].id]


async def test_a_claim_in_doubt_that_was_carried_out_runs(world: World, node: Node) -> None:
    """The same stamps are sent again, and the row carries mine."""
    job = world.has()
    fails = iter([StorageUnknown("cut off after")])
    node.cable.trouble = lambda moment: _raise(fails) if moment == "after jobs.save" else None

    [started] = await claims(node, job)

    assert started.version == job.version + 1
    assert world.job(job) == started


async def test_a_claim_in_doubt_does_not_take_what_another_has_made_of_the_job(
    world: World, node: Node
) -> None:
    """Another worker made the same version in between: version alone would prove nothing."""
    job = world.has()
    other = world.node(starts=False)
    fails = iter([StorageUnknown("cut off before")])
    node.cable.trouble = lambda moment: _raise(fails) if moment == "before jobs.save" else None

    [theirs], mine = await asyncio.gather(claims(other, job), claims(node, job))

    assert mine == []
    assert world.job(job) == theirs
    assert theirs.worker == other.name


async def test_belief_counts_from_before_the_first_try(world: World, node: Node) -> None:
    """However long the store takes to answer, belief ends before the lease."""
    job = world.has()
    fails = iter(4 * [StorageUnknown("cut off after")])
    node.cable.trouble = lambda moment: _raise(fails) if moment == "after jobs.save" else None
    await asyncio.sleep(100)

    claimed = await node.claimer.claim([job])

    [run] = claimed.runs
    assert asyncio.get_running_loop().time() > 100
    assert run.believes_until_s == 100 + (LEASE.ttl - LEASE.margin).total_seconds()
    assert run.job.lease_until is not None
    lease_s = (run.job.lease_until - world.clock._loop.start).total_seconds()
    assert run.believes_until_s < lease_s


@pytest.mark.parametrize("error", [StorageUnavailable("away"), StorageUnknown("cut off")])
async def test_what_the_store_does_not_answer_is_undecided_and_never_dropped(
    world: World, node: Node, error: Exception
) -> None:
    jobs = [world.has(), world.has()]

    def trouble(moment: str) -> None:
        if moment == "before jobs.save":
            raise error

    node.cable.trouble = trouble
    claimed = await node.claimer.claim(jobs)

    assert (list(claimed.runs), list(claimed.undecided)) == ([], jobs)
    assert claimed.reason
    assert 14 <= asyncio.get_running_loop().time() < 17


async def test_what_was_claimed_before_the_store_went_away_runs(world: World, node: Node) -> None:
    fresh, stale = world.has(), world.has(version=3)

    def trouble(moment: str) -> None:
        if moment == "before jobs.get":
            raise StorageUnavailable("away")

    node.cable.trouble = trouble
    notices = [fresh, evolve(stale, version=2)]
    claimed = await node.claimer.claim(notices)

    assert [run.job.id for run in claimed.runs] == [fresh.id]
    assert list(claimed.undecided) == [notices[1]]


async def test_a_move_after_the_look_that_stays_in_doubt_is_undecided(world: World, node: Node) -> None:
    job = world.has(stop_asked=True)

    def trouble(moment: str) -> None:
        if moment == "before jobs.save" and world.client.notes.facts == []:
            raise StorageUnknown("cut off")

    node.cable.trouble = trouble
    claimed = await node.claimer.claim([job])

    assert [each.id for each in claimed.undecided] == [job.id]


async def test_a_notice_that_no_store_can_compare_with_is_a_stale_one(world: World, node: Node) -> None:
    job = world.has()
    refused = iter([StorageRefused("out of range")])
    node.cable.trouble = lambda moment: _raise(refused) if moment == "before jobs.save" else None

    assert [started.id for started in await claims(node, job)] == [job.id]


async def test_a_job_without_attempts_left_is_not_started(world: World, node: Node) -> None:
    job = world.has(attempt=3, max_attempts=3)

    assert await claims(node, job) == []
    assert world.job(job) == job


async def test_the_observer_hears_of_starts(world: World, node: Node) -> None:
    await claims(node, world.has(), world.has())

    assert node.notes.facts == [Fact.STARTED, Fact.STARTED]


def _raise(errors: "object") -> None:
    """Raise the next of the errors, as long as there are any."""
    error = next(errors, None)  # type: ignore[call-overload]
    if error is not None:
        raise error
