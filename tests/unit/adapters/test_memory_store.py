"""The in-memory store where it goes beyond the contract: a clock to turn, faults to order."""

import asyncio

import pytest

from jobmill.adapters.memory import ManualClock, MemoryStore
from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.ports.job_repository import NewJob, Saved, Stale
from jobmill.application.ports.leases import Busy, Renewed
from jobmill.domain.states import JobState

from tests.builders import HOUR, MINUTE, NOW, SECOND, a_failure, a_job, failed, lapsed, started
from tests.contract.store_world import StoreWorld


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time=NOW)


@pytest.fixture
def world(clock: ManualClock) -> StoreWorld:
    return StoreWorld(store=MemoryStore(clock=clock))


async def test_a_retry_is_due_at_the_very_moment(world: StoreWorld, clock: ManualClock) -> None:
    running = await world.running()
    job = await world.saved(failed(running, a_failure(retry_after=MINUTE), now=world.now))

    clock.advance(MINUTE - SECOND)
    assert await world.save(started(job)) == Stale(job_id=job.id)
    clock.advance(SECOND)
    assert isinstance(await world.save(started(job)), Saved)


async def test_a_job_expires_at_the_very_moment(world: StoreWorld, clock: ManualClock) -> None:
    job = await world.queued(ttl=HOUR, expires_at=NOW + HOUR)
    clock.set(NOW + HOUR)

    assert await world.save(started(job)) == Stale(job_id=job.id)
    assert [each.id for each in await world.store.due_jobs.expired(limit=1)] == [job.id]


async def test_a_lease_is_honoured_to_its_last_moment(world: StoreWorld, clock: ManualClock) -> None:
    job = await world.running(lease=MINUTE)

    clock.advance(MINUTE)
    assert await world.store.leases.lapsed(limit=1) == []
    assert await world.save(lapsed(job)) == Stale(job_id=job.id)
    clock.advance(SECOND)
    assert await world.store.leases.lapsed(limit=1) == [job]
    assert isinstance(await world.save(lapsed(job)), Saved)


async def test_a_leader_is_followed_after_its_time(world: StoreWorld, clock: ManualClock) -> None:
    await world.store.leadership.hold("r", holder="a", ttl=MINUTE)

    clock.advance(MINUTE)
    assert not await world.store.leadership.hold("r", holder="b", ttl=MINUTE)
    clock.advance(SECOND)
    assert await world.store.leadership.hold("r", holder="b", ttl=MINUTE)


async def test_notices_grow_old(world: StoreWorld, clock: ManualClock) -> None:
    await world.queued()

    assert await world.store.outbox.pending(limit=1, older_than=SECOND) == []
    clock.advance(SECOND)
    assert len(await world.store.outbox.pending(limit=1, older_than=SECOND)) == 1


async def test_the_wait_for_what_comes_next_is_exact(world: StoreWorld, clock: ManualClock) -> None:
    await world.scheduled(due_in=HOUR)
    clock.advance(MINUTE)

    seen = await world.store.agenda.look(left_after=HOUR)
    assert seen.next_due == HOUR - MINUTE


async def test_notices_of_earlier_versions_are_forgotten_on_the_way(clock: ManualClock) -> None:
    store = MemoryStore(clock=clock)
    world = StoreWorld(store=store)
    await world.saved(started(await world.queued()))
    assert len(store.tables.outbox) == 1

    await world.notices()
    assert store.tables.outbox == {}


async def test_a_fault_before_a_statement_leaves_everything_as_it_was(clock: ManualClock) -> None:
    def cut_off(moment: str) -> None:
        if moment == "before jobs.add":
            raise StorageUnavailable("no route")

    store = MemoryStore(clock=clock, faults=cut_off)
    job = a_job()

    with pytest.raises(StorageUnavailable):
        await store.jobs.add([[NewJob(job=job)]])
    assert await store.jobs.get([job.id]) == [None]


async def test_a_fault_after_a_statement_only_loses_the_answer(clock: ManualClock) -> None:
    def cut_off(moment: str) -> None:
        if moment == "after jobs.add":
            raise StorageUnknown("no answer")

    store = MemoryStore(clock=clock, faults=cut_off)
    job = a_job()

    with pytest.raises(StorageUnknown):
        await store.jobs.add([[NewJob(job=job)]])
    assert await store.jobs.get([job.id]) == [job]


async def test_a_statement_can_be_held_up(clock: ManualClock) -> None:
    gate = asyncio.Event()

    async def slow(moment: str) -> None:
        if moment == "before check":
            await gate.wait()

    store = MemoryStore(clock=clock, faults=slow)
    check = asyncio.ensure_future(store.check())
    await asyncio.sleep(0)
    assert not check.done()
    gate.set()
    await check


async def test_a_statement_given_up_before_its_moment_does_nothing(clock: ManualClock) -> None:
    store = MemoryStore(clock=clock)
    job = a_job()
    adding = asyncio.ensure_future(store.jobs.add([[NewJob(job=job)]]))
    adding.cancel()
    await asyncio.wait({adding})

    assert await store.jobs.get([job.id]) == [None]


async def test_others_come_between_a_decision_and_its_statement(clock: ManualClock) -> None:
    world = StoreWorld(store=MemoryStore(clock=clock))
    job = await world.queued()

    answers = await asyncio.gather(*(world.save(started(job, worker=f"w{n}")) for n in range(5)))

    assert [type(answer) for answer in answers] == [Saved, Stale, Stale, Stale, Stale]


async def test_a_locked_row_is_busy_and_the_others_are_renewed(clock: ManualClock) -> None:
    store = MemoryStore(clock=clock)
    world = StoreWorld(store=store)
    locked, free = await world.running(), await world.running()
    store.tables.locked.add(locked.id)

    answers = await store.leases.renew([locked.fence, free.fence], ttl=2 * HOUR)

    assert answers == [Busy(), Renewed(stop_asked=False)]
    assert await world.seen(locked) == locked


async def test_the_rows_outlive_whoever_opened_the_store(clock: ManualClock) -> None:
    before = MemoryStore(clock=clock)
    job = await StoreWorld(store=before).queued()

    after = MemoryStore(clock=clock, tables=before.tables)

    assert await after.jobs.get([job.id]) == [job]
    assert (await after.finder.counts())["default", JobState.QUEUED] == 1
