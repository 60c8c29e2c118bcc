"""``Leases``: rights that change without a new version of the job."""

from attrs import evolve

from jobmill.application.ports.leases import Lost, Renewed
from jobmill.domain.states import JobState
from jobmill.testing.builders import HOUR, MINUTE, SECOND, a_stamp, an_id, succeeded
from jobmill.testing.contracts.store_world import LEASE_OVER, StoreWorld


async def test_a_renewal_counts_from_the_stores_now(world: StoreWorld) -> None:
    job = await world.running(lease=LEASE_OVER)

    assert await world.store.leases.renew([job.fence], ttl=HOUR) == [Renewed(stop_asked=False)]

    lease_until = (await world.seen(job)).lease_until
    assert lease_until is not None
    assert abs(lease_until - (world.now + HOUR)) < MINUTE


async def test_a_renewal_changes_nothing_but_the_lease(world: StoreWorld) -> None:
    job = await world.running()

    await world.store.leases.renew([job.fence], ttl=2 * HOUR)

    row = await world.seen(job)
    assert row != job
    assert evolve(row, lease_until=job.lease_until) == job


async def test_an_outcome_in_flight_survives_a_renewal(world: StoreWorld) -> None:
    job = await world.running()
    outcome = succeeded(job, now=world.now)

    await world.store.leases.renew([job.fence], ttl=HOUR)

    assert (await world.saved(outcome)).state is JobState.SUCCEEDED


async def test_a_renewal_may_shorten_a_lease(world: StoreWorld) -> None:
    job = await world.running(lease=HOUR)

    await world.store.leases.renew([job.fence], ttl=LEASE_OVER)

    assert [each.id for each in await world.store.leases.lapsed(limit=10)] == [job.id]


async def test_a_lease_that_is_over_and_was_taken_by_nobody_can_be_renewed(world: StoreWorld) -> None:
    job = await world.running(lease=LEASE_OVER)

    await world.store.leases.renew([job.fence], ttl=HOUR)

    assert await world.store.leases.lapsed(limit=10) == []


async def test_a_renewal_tells_of_a_stop_request(world: StoreWorld) -> None:
    job = await world.running()
    await world.store.leases.ask_to_stop([job.id])

    assert await world.store.leases.renew([job.fence], ttl=HOUR) == [Renewed(stop_asked=True)]


async def test_a_job_at_another_version_is_lost(world: StoreWorld) -> None:
    job = await world.running()

    answers = await world.store.leases.renew(
        [evolve(job.fence, version=job.version - 1), evolve(job.fence, stamp=a_stamp())], ttl=2 * HOUR
    )

    assert answers == [Lost(), Lost()]
    assert await world.seen(job) == job


async def test_a_job_that_does_not_run_is_lost(world: StoreWorld) -> None:
    waiting, done = await world.queued(), await world.done()
    nowhere = evolve(waiting.fence, job_id=an_id())

    answers = await world.store.leases.renew([waiting.fence, done.fence, nowhere], ttl=HOUR)

    assert answers == [Lost(), Lost(), Lost()]
    assert (await world.seen(waiting)).lease_until is None


async def test_answers_to_a_renewal_stand_at_the_position_of_their_fence(world: StoreWorld) -> None:
    jobs = sorted([await world.running() for _ in range(3)], key=lambda job: job.id, reverse=True)
    await world.store.leases.ask_to_stop([jobs[0].id])
    await world.saved(succeeded(jobs[1], now=world.now))

    answers = await world.store.leases.renew([job.fence for job in jobs], ttl=HOUR)

    assert answers == [Renewed(stop_asked=True), Lost(), Renewed(stop_asked=False)]


async def test_two_fences_of_one_job_are_answered_each_for_itself(world: StoreWorld) -> None:
    job = await world.running()
    earlier = evolve(job.fence, version=job.version - 1)

    answers = await world.store.leases.renew([earlier, job.fence], ttl=HOUR)

    assert answers == [Lost(), Renewed(stop_asked=False)]


async def test_renewing_nothing_is_answered_by_nothing(world: StoreWorld) -> None:
    assert list(await world.store.leases.renew([], ttl=HOUR)) == []


async def test_only_a_running_job_is_asked_to_stop(world: StoreWorld) -> None:
    waiting, running, done = await world.queued(), await world.running(), await world.done()

    answers = await world.store.leases.ask_to_stop([done.id, running.id, an_id(), waiting.id, running.id])

    assert answers == [False, True, False, False, True]
    assert (await world.seen(running)).stop_asked
    assert await world.store.jobs.get([waiting.id, done.id]) == [waiting, done]


async def test_asking_to_stop_changes_nothing_else(world: StoreWorld) -> None:
    job = await world.running()

    await world.store.leases.ask_to_stop([job.id])

    assert await world.seen(job) == evolve(job, stop_asked=True)


async def test_an_outcome_in_flight_survives_a_stop_request(world: StoreWorld) -> None:
    job = await world.running()
    await world.store.leases.ask_to_stop([job.id])

    assert (await world.saved(succeeded(job, now=world.now))).state is JobState.SUCCEEDED


async def test_lapsed_jobs_are_found_longest_first(world: StoreWorld) -> None:
    shortly = await world.running(lease=-SECOND)
    longest = await world.running(lease=-HOUR)
    between = await world.running(lease=-MINUTE)
    await world.running(lease=HOUR)
    await world.queued()

    assert await world.store.leases.lapsed(limit=10) == [longest, between, shortly]
    assert await world.store.leases.lapsed(limit=2) == [longest, between]


async def test_a_settled_job_has_no_lease_to_lapse(world: StoreWorld) -> None:
    job = await world.running(lease=LEASE_OVER)
    await world.saved(succeeded(job, now=world.now))

    assert await world.store.leases.lapsed(limit=10) == []


async def test_workers_are_named_once_while_something_of_theirs_runs(world: StoreWorld) -> None:
    for worker in ("b", "a", "b"):
        await world.running(worker=worker)
    await world.saved(succeeded(await world.running(worker="idle"), now=world.now))
    await world.queued()

    assert sorted(await world.store.leases.workers()) == ["a", "b"]


async def test_the_running_jobs_of_workers_are_found(world: StoreWorld) -> None:
    theirs = [await world.running(worker=worker) for worker in ("a", "b", "a")]
    await world.running(worker="c")
    await world.saved(succeeded(await world.running(worker="a"), now=world.now))

    assert await world.store.leases.held_by(["b", "a", "nobody", "a"], limit=10) == theirs
    assert await world.store.leases.held_by(["a", "b"], limit=2) == theirs[:2]
    assert list(await world.store.leases.held_by([], limit=10)) == []
