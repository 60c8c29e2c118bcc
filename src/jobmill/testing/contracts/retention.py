"""``RetentionSteps``: what is past goes, with all that hangs on it, and nothing else."""

from datetime import timedelta

import pytest

from jobmill.application.ports.job_repository import Replayed, Stored
from jobmill.application.ports.progress import ProgressReport
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.job import Job
from jobmill.domain.retention import Retention
from jobmill.domain.states import JobState
from jobmill.testing.builders import DAY, HOUR, MINUTE, a_job_that_is, a_stamp, an_id_made
from jobmill.testing.contracts.quarantine import a_message
from jobmill.testing.contracts.store_world import StoreWorld

KEEP = Retention(done=DAY, dead=10 * DAY).by_state
#: Older than any store keeps what it is told to keep for a day.
LONG_AGO = 5 * DAY
FINISHED = (JobState.SUCCEEDED, JobState.CANCELLED, JobState.DISCARDED, JobState.FAILED, JobState.EXPIRED)
OPEN = (JobState.SCHEDULED, JobState.QUEUED, JobState.PROCESSING, JobState.RETRYING)


async def ended(
    world: StoreWorld, state: JobState, *, ago: timedelta, made: timedelta | None = None, **facts: object
) -> Job:
    """A job in ``state`` since some time, by its id as old as that, or older."""
    return await world.has(job_of(world, state, ago=ago, made=made, **facts))


def job_of(
    world: StoreWorld, state: JobState, *, ago: timedelta, made: timedelta | None = None, **facts: object
) -> Job:
    then = world.now - ago
    return a_job_that_is(state, now=then, id=an_id_made(world.now - (made or ago)), **facts)


async def deleted(world: StoreWorld, *, limit: int = 1_000) -> int:
    return await world.store.retention.delete_jobs(KEEP, limit=limit)


async def are_there(world: StoreWorld, *jobs: Job) -> list[bool]:
    return [row is not None for row in await world.store.jobs.get([job.id for job in jobs])]


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.CANCELLED, JobState.DISCARDED])
async def test_a_job_that_is_done_goes_after_its_time(world: StoreWorld, state: JobState) -> None:
    past, recent = [await ended(world, state, ago=ago) for ago in (LONG_AGO, HOUR)]

    assert await deleted(world) == 1
    assert await are_there(world, past, recent) == [False, True]
    assert await deleted(world) == 0


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.EXPIRED])
async def test_a_dead_letter_is_kept_longer(world: StoreWorld, state: JobState) -> None:
    past, dead = [await ended(world, state, ago=ago) for ago in (20 * DAY, LONG_AGO)]

    assert await deleted(world) == 1
    assert await are_there(world, past, dead) == [False, True]


@pytest.mark.parametrize("state", OPEN)
async def test_an_open_job_is_never_deleted(world: StoreWorld, state: JobState) -> None:
    job = await ended(world, state, ago=100 * DAY)

    assert await deleted(world) == 0
    assert await are_there(world, job) == [True]


async def test_a_jobs_time_counts_from_its_end(world: StoreWorld) -> None:
    job = await ended(world, JobState.SUCCEEDED, ago=DAY - MINUTE, made=100 * DAY)

    assert await deleted(world) == 0
    assert await are_there(world, job) == [True]


async def test_what_is_kept_for_ever_stays(world: StoreWorld) -> None:
    job = await ended(world, JobState.FAILED, ago=100 * DAY)

    assert await world.store.retention.delete_jobs(Retention(dead=None).by_state, limit=10) == 0
    assert await are_there(world, job) == [True]


async def test_a_job_is_kept_while_a_key_of_it_is_held(world: StoreWorld) -> None:
    claims = [KeyClaim(scope="tenant", key=name, hold=hold) for name, hold in (("a", -HOUR), ("b", HOUR))]
    held = await world.has(job_of(world, JobState.SUCCEEDED, ago=LONG_AGO), keys=tuple(claims))
    over = await world.has(
        job_of(world, JobState.SUCCEEDED, ago=LONG_AGO),
        keys=(KeyClaim(scope="tenant", key="c", hold=-HOUR),),
    )

    assert await deleted(world) == 1
    assert await are_there(world, held, over) == [True, False]
    again = job_of(world, JobState.QUEUED, ago=HOUR)
    assert await world.add(again, keys=(claims[1],)) == [Replayed(job=held)]


async def test_a_key_goes_with_its_job(world: StoreWorld) -> None:
    claim = KeyClaim(scope="tenant", key="a", hold=-HOUR)
    await world.has(job_of(world, JobState.SUCCEEDED, ago=LONG_AGO), keys=(claim,))
    await deleted(world)

    [answer] = await world.add(job_of(world, JobState.QUEUED, ago=HOUR), keys=(claim,))
    assert isinstance(answer, Stored)


async def test_what_hangs_on_a_job_goes_with_it_and_what_hangs_on_others_stays(world: StoreWorld) -> None:
    past = await ended(world, JobState.SUCCEEDED, ago=LONG_AGO, tags=("red",))
    kept = await world.dead(tags=("red",))
    running = await world.running()
    report = ProgressReport(fence=running.fence, attempt=1, fraction=0.5, note=None)
    await world.store.progress.write([report])
    await deleted(world)

    assert await world.store.finder.story(past.id) is None
    assert len((await world.story(kept)).history) == 1
    assert (await world.story(running)).progress is not None
    again = await world.has(past)  # with nothing of what was: its tags could not be stored twice
    assert (await world.story(again)).history == ()


async def test_a_step_is_bounded_and_takes_the_oldest(world: StoreWorld) -> None:
    newer, oldest = [await ended(world, JobState.SUCCEEDED, ago=LONG_AGO + ago) for ago in (HOUR, DAY)]
    other = await ended(world, JobState.CANCELLED, ago=LONG_AGO, queue="other")

    assert await deleted(world, limit=1) == 1
    assert await are_there(world, oldest, newer, other) == [False, True, True]
    assert await deleted(world, limit=1) == 1
    assert await are_there(world, newer, other) == [False, True]


async def test_a_job_that_was_called_back_stays(world: StoreWorld) -> None:
    job = await ended(world, JobState.FAILED, ago=20 * DAY)
    again = await world.saved(job.requeue(now=world.now, stamp=a_stamp()))

    assert await deleted(world) == 0
    assert await world.seen(again) == again


async def test_old_foreign_messages_go_the_oldest_first(world: StoreWorld) -> None:
    newest, oldest, old = [
        a_message(id=an_id_made(world.now - ago), received_at=world.now - ago)
        for ago in (HOUR, 3 * DAY, 2 * DAY)
    ]
    await world.store.quarantine.keep([newest, oldest, old])

    assert await world.store.retention.delete_foreign(DAY, limit=1) == 1
    assert await world.store.quarantine.page(limit=10) == [newest, old]
    assert await world.store.retention.delete_foreign(DAY, limit=10) == 1
    assert await world.store.quarantine.page(limit=10) == [newest]
    assert await world.store.retention.delete_foreign(DAY, limit=10) == 0


async def test_turning_on_comes_to_an_end(world: StoreWorld) -> None:
    kept = [await ended(world, state, ago=HOUR) for state in (*FINISHED, *OPEN)]
    turns = 0
    while await world.store.retention.turn(KEEP):
        turns += 1
        assert turns < 20

    assert all(await are_there(world, *kept))
