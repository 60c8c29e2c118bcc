"""``Outbox``: notices that stay until they are forgotten, each by its own id."""

from datetime import timedelta

from attrs import evolve

from jobmill.application.ports.outbox import Notice
from jobmill.domain.states import Target
from jobmill.testing.builders import HOUR, SECOND, a_stamp, an_id, failed, started
from jobmill.testing.contracts.store_world import MANY, StoreWorld


async def test_notices_come_oldest_first_and_as_many_as_asked(world: StoreWorld) -> None:
    jobs = [await world.queued() for _ in range(3)]

    pending = await world.store.outbox.pending(limit=2, older_than=timedelta(0))

    assert [notice.job for notice in pending] == jobs[:2]


async def test_notices_stay_until_they_are_forgotten(world: StoreWorld) -> None:
    await world.queued()

    assert await world.notices() == await world.notices() != []


async def test_young_notices_are_left_to_those_who_wrote_them(world: StoreWorld) -> None:
    await world.queued()

    assert await world.store.outbox.pending(limit=MANY, older_than=HOUR) == []


async def test_the_age_of_a_notice_is_not_the_age_of_its_job(world: StoreWorld) -> None:
    await world.scheduled(due_in=-SECOND)
    [job] = await world.store.due_jobs.due(limit=1)
    await world.saved(job.release(now=world.now - 10 * HOUR, stamp=a_stamp()))

    assert await world.store.outbox.pending(limit=MANY, older_than=HOUR) == []


async def test_notices_of_some_queues_can_be_left_out(world: StoreWorld) -> None:
    blocked = await world.queued(queue="blocked")
    also = await world.queued(queue="also")
    free = await world.queued(queue="free")

    pending = await world.store.outbox.pending(limit=1, older_than=timedelta(0), without={"blocked", "also"})

    assert [notice.job for notice in pending] == [free]
    assert [notice.job for notice in await world.notices()] == [blocked, also, free]


async def test_a_notice_of_an_earlier_version_is_not_returned(world: StoreWorld) -> None:
    job = await world.queued()
    await world.saved(started(job, now=world.now))

    assert await world.notices() == []


async def test_a_notice_of_an_earlier_version_never_returns(world: StoreWorld) -> None:
    job = await world.queued()
    running = await world.saved(started(job, now=world.now))
    await world.notices()
    retrying = await world.saved(failed(running, now=world.now))

    assert [notice.row for notice in await world.notices()] == [retrying.stamp]


async def test_a_notice_shows_the_job_with_its_stop_request(world: StoreWorld) -> None:
    job = await world.stopped_while_it_ran()

    [notice] = await world.notices_of(job)
    assert notice.job.stop_asked


async def test_only_the_named_rows_are_forgotten(world: StoreWorld) -> None:
    one, other = await world.queued(), await world.queued()

    await world.store.outbox.forget([one.stamp])

    assert [notice.job for notice in await world.notices()] == [other]


async def test_forgetting_an_early_notice_of_a_job_leaves_its_later_one(world: StoreWorld) -> None:
    job = await world.queued()
    running = await world.saved(started(job, now=world.now))
    retrying = await world.saved(failed(running, now=world.now))

    # The confirm of the first notice comes late: meanwhile the job was claimed, failed, and has another.
    await world.store.outbox.forget([job.stamp])

    assert [notice.row for notice in await world.notices()] == [retrying.stamp]


async def test_forgetting_what_is_not_there_is_harmless(world: StoreWorld) -> None:
    job = await world.queued()

    await world.store.outbox.forget([a_stamp(), a_stamp()])
    await world.store.outbox.forget([])
    await world.store.outbox.forget([job.stamp, job.stamp])

    assert await world.notices() == []


async def test_a_queued_job_can_be_announced_again(world: StoreWorld) -> None:
    job = await world.queued(announced_at=world.now - HOUR)
    await world.forgets_all_notices()
    row = a_stamp()

    [notice] = await world.store.outbox.announce([job.fence], rows=[row])

    seen = await world.seen(job)
    assert notice == Notice(row=row, job=seen, target=Target.QUEUE)
    assert await world.notices() == [notice]
    assert seen.fence == job.fence
    assert seen.announces == 1
    assert seen.announced_at is not None
    assert job.announced_at is not None
    assert seen.announced_at > job.announced_at


async def test_announcing_changes_nothing_else(world: StoreWorld) -> None:
    job = await world.queued(tags=("a",), correlation_id="c")

    await world.store.outbox.announce([job.fence], rows=[a_stamp()])

    seen = await world.seen(job)
    assert evolve(seen, announced_at=job.announced_at, announces=0) == job


async def test_each_further_notice_is_counted_and_stands_beside_the_others(world: StoreWorld) -> None:
    job = await world.queued()
    first, second = a_stamp(), a_stamp()

    await world.store.outbox.announce([job.fence], rows=[first])
    await world.store.outbox.announce([job.fence], rows=[second])

    assert (await world.seen(job)).announces == 2
    assert {notice.row for notice in await world.notices_of(job)} == {job.stamp, first, second}


async def test_only_queued_jobs_at_this_very_version_are_announced(world: StoreWorld) -> None:
    queued, running, retrying = await world.queued(), await world.running(), await world.retrying()
    await world.forgets_all_notices()
    fences = [
        running.fence,
        evolve(queued.fence, stamp=a_stamp()),
        retrying.fence,
        evolve(queued.fence, version=queued.version + 1),
        evolve(queued.fence, job_id=an_id()),
    ]

    answers = await world.store.outbox.announce(fences, rows=[a_stamp() for _ in fences])

    assert answers == [None] * 5
    assert await world.notices() == []
    assert (await world.seen(queued)).announces == 0


async def test_announcements_are_answered_by_position(world: StoreWorld) -> None:
    jobs = sorted([await world.queued() for _ in range(3)], key=lambda job: job.id, reverse=True)
    await world.saved(started(jobs[1], now=world.now))
    rows = [a_stamp() for _ in jobs]

    answers = await world.store.outbox.announce([job.fence for job in jobs], rows=rows)

    told = [(answer.row, answer.job.id) if answer else None for answer in answers]
    assert told == [(rows[0], jobs[0].id), None, (rows[2], jobs[2].id)]
