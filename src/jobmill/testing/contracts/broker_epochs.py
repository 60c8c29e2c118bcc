"""``BrokerEpochs``: the broker's life, and the refill of one that lost everything."""

from attrs import evolve

from jobmill.application.ports.broker_epochs import EpochRecord
from jobmill.domain.states import JobState, Target
from jobmill.testing.builders import HOUR, a_job_that_is, a_stamp, stamps
from jobmill.testing.contracts.store_world import StoreWorld


async def refill_to_the_end(world: StoreWorld, *, page: int = 2) -> int:
    """Refill as a leader does; returns the number of pages."""
    pages = 1
    while await world.store.epochs.refill(stamps(page)) == page:
        pages += 1
        assert pages < 100
    return pages


async def test_before_the_first_start_there_is_no_epoch(world: StoreWorld) -> None:
    assert await world.store.epochs.current() == EpochRecord(epoch=None, refilling=False)


async def test_an_epoch_begins_with_a_refill(world: StoreWorld) -> None:
    await world.store.epochs.begin("e1")

    assert await world.store.epochs.current() == EpochRecord(epoch="e1", refilling=True)


async def test_a_refill_is_finished(world: StoreWorld) -> None:
    await world.store.epochs.begin("e1")
    await world.store.epochs.finish("e1")

    assert await world.store.epochs.current() == EpochRecord(epoch="e1", refilling=False)


async def test_the_refill_of_another_epoch_is_not_finished(world: StoreWorld) -> None:
    await world.store.epochs.begin("e1")
    await world.store.epochs.begin("e2")
    await world.store.epochs.finish("e1")

    assert await world.store.epochs.current() == EpochRecord(epoch="e2", refilling=True)


async def test_a_refill_announces_every_queued_job(world: StoreWorld) -> None:
    jobs = [await world.queued() for _ in range(5)]
    await world.forgets_all_notices()
    await world.store.epochs.begin("e1")

    await refill_to_the_end(world)

    notices = await world.notices()
    assert {notice.job.id for notice in notices} == {job.id for job in jobs}
    assert {notice.target for notice in notices} == {Target.QUEUE}
    assert len(notices) == 5


async def test_rows_of_a_refill_have_the_ids_that_were_given(world: StoreWorld) -> None:
    await world.queued()
    await world.forgets_all_notices()
    await world.store.epochs.begin("e1")
    row = a_stamp()

    await world.store.epochs.refill([row, a_stamp()])

    assert [notice.row for notice in await world.notices()] == [row]


async def test_a_refill_leaves_out_jobs_that_have_a_notice(world: StoreWorld) -> None:
    with_notice = [await world.queued() for _ in range(3)]
    await world.store.epochs.begin("e1")

    await refill_to_the_end(world)

    assert {notice.row for notice in await world.notices()} == {job.stamp for job in with_notice}


async def test_a_refill_is_for_queued_jobs_only(world: StoreWorld) -> None:
    for state in JobState:
        await world.has(a_job_that_is(state))
    queued = [notice.job for notice in await world.notices()]
    await world.forgets_all_notices()
    await world.store.epochs.begin("e1")

    await refill_to_the_end(world)

    assert [notice.job.id for notice in await world.notices()] == [job.id for job in queued]


async def test_a_notice_of_an_earlier_version_does_not_count_as_one(world: StoreWorld) -> None:
    job = await world.queued()  # its notice stays in the outbox and is of version 1
    running = await world.saved(job.start(worker="w", lease=HOUR, now=world.now, stamp=a_stamp()))
    back = await world.stopped_while_it_ran()
    await world.store.outbox.forget([back.stamp])
    await world.store.epochs.begin("e1")

    await refill_to_the_end(world)

    assert [notice.job.id for notice in await world.notices()] == [back.id]
    assert (await world.seen(running)).fence == running.fence


async def test_a_refill_counts_no_announcement(world: StoreWorld) -> None:
    job = await world.queued(announces=3)
    await world.forgets_all_notices()
    await world.store.epochs.begin("e1")

    await refill_to_the_end(world)

    seen = await world.seen(job)
    assert evolve(seen, announced_at=job.announced_at) == job


async def test_a_refill_goes_on_where_it_was(world: StoreWorld) -> None:
    for _ in range(3):
        await world.queued()
    await world.forgets_all_notices()
    await world.store.epochs.begin("e1")

    await world.store.epochs.refill(stamps(2))
    await world.forgets_all_notices()
    await refill_to_the_end(world)

    assert len(await world.notices()) == 1


async def test_a_new_epoch_starts_over_at_the_first_job(world: StoreWorld) -> None:
    jobs = [await world.queued() for _ in range(3)]
    await world.store.epochs.begin("e1")
    await refill_to_the_end(world)
    await world.forgets_all_notices()
    await world.store.epochs.begin("e2")

    await refill_to_the_end(world)

    assert {notice.job.id for notice in await world.notices()} == {job.id for job in jobs}


async def test_a_store_without_jobs_is_refilled_at_once(world: StoreWorld) -> None:
    await world.store.epochs.begin("e1")

    assert await world.store.epochs.refill(stamps(10)) == 0
