"""The guards of ``JobRepository.save``: what must hold in the row at the moment of saving, and the lease."""

from datetime import timedelta

from attrs import evolve

from jobmill.application.ports.job_repository import Saved, Stale
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.testing.builders import (
    HOUR,
    MINUTE,
    a_failure,
    a_job,
    a_stamp,
    failed,
    handed_back,
    lapsed,
    orphaned,
    started,
    succeeded,
)
from jobmill.testing.contracts.store_world import LEASE_OVER, StoreWorld

# --- the guard of a claim ---


async def test_a_claim_before_the_retry_is_due_is_stale(world: StoreWorld) -> None:
    job = await world.retrying(due_in=HOUR)
    look = evolve(job, retry_at=None)

    assert await world.save(started(look, now=world.now)) == Stale(job_id=job.id)


async def test_a_claim_of_a_retry_that_is_due_is_saved(world: StoreWorld) -> None:
    job = await world.retrying(due_in=-HOUR)

    assert (await world.saved(started(job, now=world.now))).attempt == 2


async def test_a_claim_after_the_time_to_live_is_stale(world: StoreWorld) -> None:
    job = await world.out_of_time()
    look = evolve(job, expires_at=None)

    assert await world.save(started(look, now=world.now)) == Stale(job_id=job.id)


async def test_a_claim_within_the_time_to_live_is_saved(world: StoreWorld) -> None:
    job = await world.out_of_time(ago=-HOUR)

    assert (await world.saved(started(job, now=world.now))).state is JobState.PROCESSING


async def test_a_claim_of_a_job_that_was_asked_to_stop_is_stale(world: StoreWorld) -> None:
    job = await world.stopped_while_it_ran()
    look = evolve(job, stop_asked=False)

    assert await world.save(started(look, now=world.now)) == Stale(job_id=job.id)


async def test_a_claim_without_attempts_left_is_stale(world: StoreWorld) -> None:
    job = await world.has(a_job(now=world.now, attempt=3, max_attempts=3))
    look = evolve(job, attempt=0)

    assert await world.save(started(look, now=world.now)) == Stale(job_id=job.id)


async def test_the_last_attempt_can_be_claimed(world: StoreWorld) -> None:
    job = await world.has(a_job(now=world.now, attempt=2, max_attempts=3))

    assert (await world.saved(started(job, now=world.now))).attempt == 3


# --- the other guards ---


async def test_a_job_whose_lease_is_over_is_taken(world: StoreWorld) -> None:
    job = await world.running(lease=LEASE_OVER)

    assert (await world.saved(lapsed(job, now=world.now))).state is JobState.RETRYING


async def test_a_job_whose_lease_was_renewed_after_the_look_is_not_taken(world: StoreWorld) -> None:
    job = await world.running(lease=LEASE_OVER)
    [seen] = await world.store.leases.lapsed(limit=10)
    await world.store.leases.renew([job.fence], ttl=HOUR)

    assert await world.save(lapsed(seen, now=world.now)) == Stale(job_id=job.id)
    assert (await world.seen(job)).state is JobState.PROCESSING


async def test_a_job_of_a_dead_worker_is_taken_whatever_is_left_of_its_lease(world: StoreWorld) -> None:
    job = await world.running(lease=HOUR)

    assert (await world.saved(orphaned(job, now=world.now))).state is JobState.RETRYING


async def test_a_job_that_was_taken_and_claimed_again_is_not_taken_from_its_new_worker(
    world: StoreWorld,
) -> None:
    seen = await world.running(worker="dead")
    waiting = await world.saved(handed_back(seen, now=world.now))
    held = await world.saved(started(waiting, worker="alive", now=world.now))

    assert await world.save(orphaned(seen, now=world.now)) == Stale(job_id=seen.id)
    assert await world.seen(held) == held


async def test_a_dead_worker_that_does_not_hold_the_job_loses_nothing(world: StoreWorld) -> None:
    """Even at the very version that was seen, the statement asks for the worker itself."""
    job = await world.running(worker="alive")

    assert await world.save(orphaned(evolve(job, worker="dead"), now=world.now)) == Stale(job_id=job.id)
    assert await world.seen(job) == job


async def test_a_scheduled_job_is_not_released_before_its_time(world: StoreWorld) -> None:
    job = await world.scheduled(due_in=HOUR)

    assert await world.save(job.release(now=world.now, stamp=a_stamp())) == Stale(job_id=job.id)


async def test_a_scheduled_job_is_released_when_its_time_has_come(world: StoreWorld) -> None:
    job = await world.scheduled(due_in=-HOUR)

    assert (await world.saved(job.release(now=world.now, stamp=a_stamp()))).state is JobState.QUEUED


async def test_a_retry_is_released_only_when_its_notice_is_overdue(world: StoreWorld) -> None:
    early, overdue = await world.retrying(due_in=HOUR), await world.retrying(due_in=-HOUR)

    answers = await world.store.jobs.save(
        [job.release(now=world.now, stamp=a_stamp()) for job in (early, overdue)]
    )

    assert [type(answer) for answer in answers] == [Stale, Saved]


async def test_a_job_is_not_expired_before_its_time(world: StoreWorld) -> None:
    job = await world.out_of_time(ago=-HOUR)

    assert await world.save(job.expire(now=world.now, stamp=a_stamp())) == Stale(job_id=job.id)


async def test_a_job_without_a_time_to_live_never_expires(world: StoreWorld) -> None:
    job = await world.queued()

    assert await world.save(job.expire(now=world.now, stamp=a_stamp())) == Stale(job_id=job.id)


async def test_a_job_is_expired_when_its_time_is_over(world: StoreWorld) -> None:
    job = await world.out_of_time()

    assert (await world.saved(job.expire(now=world.now, stamp=a_stamp()))).state is JobState.EXPIRED


# --- the lease ---


async def test_a_lease_is_counted_from_the_stores_own_time(world: StoreWorld) -> None:
    job = await world.queued()
    behind = world.now - 10 * HOUR  # a worker whose clock is wrong

    running = await world.saved(started(job, lease=HOUR, now=behind))

    assert running.lease_until is not None
    assert abs(running.lease_until - (world.now + HOUR)) < MINUTE


async def test_every_other_move_ends_the_lease(world: StoreWorld) -> None:
    ends: list[Job] = [
        await world.saved(succeeded(await world.running(), now=world.now)),
        await world.saved(failed(await world.running(), now=world.now)),
        await world.saved(handed_back(await world.running(), now=world.now)),
        await world.saved(lapsed(await world.running(lease=LEASE_OVER), now=world.now)),
    ]

    assert [job.lease_until for job in ends] == [None] * 4
    assert [job.worker for job in ends] == [None] * 4


async def test_a_lease_is_never_copied_from_the_snapshot(world: StoreWorld) -> None:
    job = await world.running()
    forged = failed(job, now=world.now)
    forged = evolve(forged, job=evolve(forged.job, lease_until=world.now + timedelta(days=1)))

    assert (await world.saved(forged)).lease_until is None
    assert (await world.seen(job)).lease_until is None


async def test_a_failed_attempt_can_be_long_after_its_renewals(world: StoreWorld) -> None:
    job = await world.running()
    await world.store.leases.renew([job.fence], ttl=2 * HOUR)

    settled = await world.saved(failed(job, a_failure(), now=world.now))

    assert settled.state is JobState.RETRYING
