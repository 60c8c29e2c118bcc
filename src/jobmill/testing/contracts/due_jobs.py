"""``DueJobs``: what the scheduler has to look at, by the store's clock."""

from jobmill.testing.builders import DAY, HOUR, MINUTE, a_stamp, a_submitted_job, started
from jobmill.testing.contracts.store_world import StoreWorld


async def test_scheduled_and_retrying_jobs_are_due_earliest_first(world: StoreWorld) -> None:
    later = await world.scheduled(due_in=-MINUTE)
    earliest = await world.scheduled(due_in=-3 * HOUR)
    retry = await world.retrying(due_in=-2 * HOUR)
    await world.scheduled(due_in=HOUR)
    await world.retrying(due_in=HOUR)
    await world.queued()

    assert await world.store.due_jobs.due(limit=10) == [earliest, retry, later]
    assert await world.store.due_jobs.due(limit=1) == [earliest]


async def test_a_retry_is_due_when_its_notice_is_overdue_not_when_it_may_start(world: StoreWorld) -> None:
    await world.retrying(due_in=-MINUTE / 60)

    assert await world.store.due_jobs.due(limit=10) == []


async def test_a_job_that_went_on_is_due_no_more(world: StoreWorld) -> None:
    job = await world.scheduled(due_in=-HOUR)
    released = await world.saved(job.release(now=world.now, stamp=a_stamp()))
    retry = await world.retrying(due_in=-HOUR)
    await world.saved(started(retry, now=world.now))

    assert await world.store.due_jobs.due(limit=10) == []
    assert (await world.seen(released)).wake_at is None


async def test_unstarted_jobs_over_their_time_are_found_earliest_first(world: StoreWorld) -> None:
    shortly = await world.out_of_time(ago=MINUTE)
    longest = await world.out_of_time(ago=DAY)
    retrying = await world.retrying(expires_at=world.now + HOUR, due_in=DAY)
    scheduled = await world.has(
        a_submitted_job(now=world.now - 2 * DAY, run_at=world.now - 5 * HOUR, ttl=2 * HOUR)
    )
    await world.out_of_time(ago=-HOUR)
    await world.queued()

    expired = await world.store.due_jobs.expired(limit=10)

    assert expired == [longest, scheduled, shortly]
    assert retrying not in expired
    assert await world.store.due_jobs.expired(limit=1) == [longest]


async def test_a_running_or_finished_job_is_not_out_of_time(world: StoreWorld) -> None:
    running = await world.out_of_time(ago=-HOUR)
    await world.saved(started(running, now=world.now))
    late = await world.out_of_time()
    await world.saved(late.expire(now=world.now, stamp=a_stamp()))

    assert await world.store.due_jobs.expired(limit=10) == []


async def test_waiting_jobs_that_were_asked_to_stop_are_found(world: StoreWorld) -> None:
    waiting = await world.stopped_while_it_ran()
    running = await world.running()
    await world.store.leases.ask_to_stop([running.id])
    await world.queued()

    assert await world.store.due_jobs.to_cancel(limit=10) == [waiting]


async def test_a_retry_that_was_asked_to_stop_is_found(world: StoreWorld) -> None:
    waiting = await world.stopped_while_it_ran()
    deferred = await world.saved(waiting.defer(HOUR, "breaker open", now=world.now, stamp=a_stamp()))

    assert await world.store.due_jobs.to_cancel(limit=10) == [deferred]


async def test_no_more_jobs_to_cancel_are_returned_than_asked_for(world: StoreWorld) -> None:
    for _ in range(3):
        await world.stopped_while_it_ran()

    assert len(await world.store.due_jobs.to_cancel(limit=2)) == 2
