"""``EndedJobs``: whose end somebody waits for, and for how long it is watched."""

from attrs import evolve

from jobmill.application.ports.job_repository import NewJob, Stored, Withheld, WithoutPredecessor
from jobmill.domain.follow_up import follow_up
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.ties import Tally, Ties
from jobmill.testing.builders import STEADY, a_job, a_stamp, a_submitted_job, an_id, started, succeeded
from jobmill.testing.contracts.store_world import StoreWorld


def a_follower(world: StoreWorld, of: Job) -> Job:
    """A new job that waits for another's success."""
    return a_submitted_job(now=world.now).tied(Ties(follows=of.id, chain_depth=1))


def a_batch(world: StoreWorld, *, size: int = 2) -> list[Job]:
    """New jobs of a batch, the callback last."""
    callback = a_submitted_job(now=world.now).tied(Ties(batch_size=size))
    members = [a_submitted_job(now=world.now).tied(Ties(batch=callback.id)) for _ in range(size)]
    return [*members, callback]


async def ends(world: StoreWorld, job: Job, *, result: str | None = None) -> Job:
    """The job runs and succeeds."""
    running = await world.saved(started(job, now=world.now))
    return await world.saved(succeeded(running, result=result, now=world.now))


async def seen_ends(world: StoreWorld) -> list[Job]:
    """The watched jobs that are finished."""
    return [each.job for each in await world.store.ended_jobs.ended(limit=10)]


async def test_a_follower_is_kept_as_it_is_and_not_announced(world: StoreWorld) -> None:
    job = await world.queued()
    await world.forgets_all_notices()
    follower = await world.has(a_follower(world, job))

    assert await world.seen(follower) == follower
    assert follower.is_held
    assert await world.notices() == []
    assert await world.store.due_jobs.due(limit=10) == []


async def test_the_end_of_a_job_is_seen_from_the_time_on_that_another_follows_it(world: StoreWorld) -> None:
    job = await world.queued()
    await world.has(a_follower(world, job))

    assert await seen_ends(world) == []
    done = await ends(world, job)
    assert await seen_ends(world) == [done]


async def test_a_job_that_had_ended_before_it_was_followed_is_seen_as_well(world: StoreWorld) -> None:
    done = await world.done()
    assert await seen_ends(world) == []

    await world.has(a_follower(world, done))

    assert await seen_ends(world) == [done]


async def test_being_followed_costs_nobody_the_job(world: StoreWorld) -> None:
    running = await world.running()
    await world.has(a_follower(world, running))

    await world.saved(succeeded(running, now=world.now))


async def test_of_jobs_stored_together_one_may_follow_another(world: StoreWorld) -> None:
    first = a_job(now=world.now)
    follower = a_follower(world, first)
    await world.add(first, follower)

    done = await ends(world, first)

    assert await seen_ends(world) == [done]
    assert await world.store.ended_jobs.held_after([first.id], limit=10) == [follower]


async def test_a_job_that_follows_one_that_is_not_there_is_refused_with_its_unit(world: StoreWorld) -> None:
    unknown = a_job(now=world.now)
    follower, neighbour = a_follower(world, unknown), a_job(now=world.now)

    answers = await world.add(neighbour, follower)

    assert answers == [Withheld(), WithoutPredecessor(job_id=unknown.id)]
    assert await world.store.jobs.get([neighbour.id, follower.id]) == [None, None]


async def test_another_unit_of_the_same_call_is_stored_all_the_same(world: StoreWorld) -> None:
    follower, other = a_follower(world, a_job(now=world.now)), a_job(now=world.now)

    [[refused], [stored]] = await world.store.jobs.add([[NewJob(job=follower)], [NewJob(job=other)]])

    assert isinstance(refused, WithoutPredecessor)
    assert stored == Stored(job=other)


async def test_ends_are_told_in_the_order_of_ids_and_no_more_than_asked_for(world: StoreWorld) -> None:
    jobs = [await world.done() for _ in range(3)]
    for job in reversed(jobs):
        await world.has(a_follower(world, job))

    assert [each.job for each in await world.store.ended_jobs.ended(limit=2)] == jobs[:2]


async def test_only_held_followers_are_told_in_the_order_of_ids(world: StoreWorld) -> None:
    done = await world.done()
    followers = [await world.has(a_follower(world, done)) for _ in range(4)]
    await world.saved(follow_up(done, followers[1], now=world.now, stamp=a_stamp()))
    await world.has(a_follower(world, await world.queued()))
    left = [followers[0], *followers[2:]]

    assert await world.store.ended_jobs.held_after([done.id], limit=10) == left
    assert await world.store.ended_jobs.held_after([done.id], limit=2) == left[:2]
    assert await world.store.ended_jobs.held_after([], limit=2) == []


async def test_a_follower_that_is_let_go_is_announced_with_what_it_inherits(world: StoreWorld) -> None:
    job = await world.queued()
    follower = await world.has(a_follower(world, job))
    done = await ends(world, job, result='{"n":7}')
    await world.forgets_all_notices()

    released = await world.saved(follow_up(done, follower, now=world.now, stamp=a_stamp()))

    assert await world.seen(follower) == released
    assert (released.state, released.inherited) == (JobState.QUEUED, '{"n":7}')
    assert [notice.job for notice in await world.notices()] == [released]


async def test_what_a_job_inherits_stays_through_all_of_its_moves(world: StoreWorld) -> None:
    done = await world.done()
    follower = await world.has(a_follower(world, done))
    released = await world.saved(follow_up(done, follower, now=world.now, stamp=a_stamp()))
    told_less = evolve(released, inherited=None, follows=None)  # by a notice of an earlier release

    running = await world.saved(started(told_less, now=world.now))
    await world.saved(running.hand_back("x", policy=STEADY, now=world.now, stamp=a_stamp(), fraction=0.0))

    assert (await world.seen(follower)).inherited == "null"
    assert (await world.seen(follower)).follows == done.id


async def test_what_is_forgotten_is_seen_no_more(world: StoreWorld) -> None:
    done, other = await world.done(), await world.done()
    await world.has(a_follower(world, done))
    await world.has(a_follower(world, other))
    first, _ = await world.store.ended_jobs.ended(limit=10)

    await world.store.ended_jobs.forget([first])
    await world.store.ended_jobs.forget([first])

    assert await seen_ends(world) == [other]


async def test_a_follower_that_came_in_between_keeps_the_watch(world: StoreWorld) -> None:
    done = await world.done()
    await world.has(a_follower(world, done))
    ended = await world.store.ended_jobs.ended(limit=10)
    await world.has(a_follower(world, done))

    await world.store.ended_jobs.forget(ended)

    assert await seen_ends(world) == [done]


async def test_a_requeued_job_is_seen_when_it_ends_again(world: StoreWorld) -> None:
    dead = await world.dead()
    requeued = await world.saved(dead.requeue(now=world.now, stamp=a_stamp()))
    assert await seen_ends(world) == []

    done = await ends(world, requeued)

    assert await seen_ends(world) == [done]


async def test_a_requeue_keeps_the_watch_of_one_who_saw_the_end_before(world: StoreWorld) -> None:
    dead = await world.dead()
    await world.has(a_follower(world, dead))
    ended = await world.store.ended_jobs.ended(limit=10)
    requeued = await world.saved(dead.requeue(now=world.now, stamp=a_stamp()))

    await world.store.ended_jobs.forget(ended)

    done = await ends(world, requeued)
    assert await seen_ends(world) == [done]


async def test_a_batch_is_counted_by_its_states(world: StoreWorld) -> None:
    first, second, third, callback = a_batch(world, size=3)
    await world.add(first, second, third, callback)
    await ends(world, first)
    await world.saved(second.cancel(now=world.now, stamp=a_stamp()))

    counted = await world.store.ended_jobs.tallies([callback.id, first.id, an_id()])

    counts = {JobState.SUCCEEDED: 1, JobState.CANCELLED: 1, JobState.QUEUED: 1}
    assert counted == {callback.id: (callback, Tally(size=3, counts=counts))}
    assert await world.store.ended_jobs.tallies([]) == {}


async def test_the_jobs_of_a_batch_are_watched_from_the_beginning(world: StoreWorld) -> None:
    first, second, callback = a_batch(world)
    await world.add(first, second, callback)

    done = await ends(world, first)

    assert await seen_ends(world) == [done]


async def test_storing_a_batch_again_changes_nothing(world: StoreWorld) -> None:
    first, second, callback = a_batch(world)
    await world.add(first, second, callback)
    done = await ends(world, first)
    await world.store.ended_jobs.forget(await world.store.ended_jobs.ended(limit=10))

    answers = await world.add(first, second, callback)

    assert answers == [Stored(job=done), Stored(job=second), Stored(job=callback)]
    assert await seen_ends(world) == []
