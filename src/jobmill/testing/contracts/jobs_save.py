"""``JobRepository.save``: compare-and-set on version and stamp, a batch at a time."""

import pytest
from attrs import evolve

from jobmill.application.errors import StorageRefused
from jobmill.application.ports.job_repository import Saved, Stale
from jobmill.domain.states import JobState
from jobmill.testing.builders import (
    a_job,
    a_stamp,
    failed,
    started,
    succeeded,
)
from jobmill.testing.contracts.store_world import StoreWorld


async def test_a_save_makes_the_next_version(world: StoreWorld) -> None:
    job = await world.queued()
    claim = started(job, now=world.now)

    answer = await world.save(claim)

    assert isinstance(answer, Saved)
    assert answer.job == await world.seen(job)
    assert answer.job.fence == claim.job.fence
    assert (answer.job.state, answer.job.attempt, answer.job.worker) == (JobState.PROCESSING, 1, "worker-1")


async def test_of_two_saves_of_one_version_the_second_is_stale(world: StoreWorld) -> None:
    job = await world.queued()
    mine, theirs = started(job, worker="me", now=world.now), started(job, worker="they", now=world.now)

    assert isinstance(await world.save(mine), Saved)
    assert await world.save(theirs) == Stale(job_id=job.id)

    assert (await world.seen(job)).worker == "me"


async def test_the_right_stamp_at_another_version_is_stale(world: StoreWorld) -> None:
    job = await world.running()

    for version in (job.version - 1, job.version + 1):
        look = evolve(job, version=version)
        assert await world.save(succeeded(look, now=world.now)) == Stale(job_id=job.id)
    assert await world.seen(job) == job


async def test_the_right_version_with_another_stamp_is_stale(world: StoreWorld) -> None:
    job = await world.running()
    other_history = evolve(job, stamp=a_stamp())

    assert await world.save(succeeded(other_history, now=world.now)) == Stale(job_id=job.id)
    assert await world.seen(job) == job


async def test_a_move_decided_on_another_state_is_stale(world: StoreWorld) -> None:
    job = await world.queued()
    believed_running = evolve(job, state=JobState.PROCESSING, attempt=1)

    assert await world.save(succeeded(believed_running, now=world.now)) == Stale(job_id=job.id)
    assert await world.seen(job) == job


async def test_a_job_that_is_not_there_is_stale(world: StoreWorld) -> None:
    job = a_job()

    assert await world.save(started(job)) == Stale(job_id=job.id)
    assert await world.store.jobs.get([job.id]) == [None]


async def test_saving_again_is_answered_like_the_first_time(world: StoreWorld) -> None:
    claim = started(await world.queued(), now=world.now)

    first = await world.save(claim)

    assert await world.save(claim) == first


async def test_saving_again_writes_no_second_history_and_no_second_notice(world: StoreWorld) -> None:
    failure = failed(await world.running(), now=world.now)
    await world.save(failure)
    await world.forgets_all_notices()

    assert isinstance(await world.save(failure), Saved)

    assert len((await world.story(failure.job)).history) == 1
    assert await world.notices() == []


async def test_answers_stand_at_the_position_of_their_transition(world: StoreWorld) -> None:
    jobs = sorted([await world.queued() for _ in range(4)], key=lambda job: job.id, reverse=True)
    gone = await world.saved(started(jobs[1], now=world.now))

    answers = await world.store.jobs.save([started(job, now=world.now) for job in jobs])

    assert [type(answer) for answer in answers] == [Saved, Stale, Saved, Saved]
    assert answers[1] == Stale(job_id=gone.id)
    saved = [answer.job.id for answer in answers if isinstance(answer, Saved)]
    assert saved == [jobs[0].id, jobs[2].id, jobs[3].id]


async def test_saving_nothing_is_answered_by_nothing(world: StoreWorld) -> None:
    assert list(await world.store.jobs.save([])) == []


async def test_a_whole_batch_of_different_moves_is_saved(world: StoreWorld) -> None:
    now = world.now
    waiting, running, failing, late = [
        await world.queued(),
        await world.running(),
        await world.running(),
        await world.out_of_time(),
    ]
    moves = [
        started(waiting, now=now),
        succeeded(running, result='{"sent":true}', now=now),
        failed(failing, now=now),
        late.expire(now=now, stamp=a_stamp()),
    ]

    answers = await world.store.jobs.save(moves)

    assert [answer.job.state for answer in answers if isinstance(answer, Saved)] == [
        JobState.PROCESSING,
        JobState.SUCCEEDED,
        JobState.RETRYING,
        JobState.EXPIRED,
    ]
    assert (await world.seen(running)).result == '{"sent":true}'


async def test_a_value_that_no_store_can_hold_is_refused_and_nothing_is_saved(world: StoreWorld) -> None:
    good, bad = await world.running(), await world.running()

    with pytest.raises(StorageRefused):
        await world.store.jobs.save(
            [succeeded(good, now=world.now), succeeded(bad, result='"\ud800"', now=world.now)]
        )

    assert await world.store.jobs.get([good.id, bad.id]) == [good, bad]
