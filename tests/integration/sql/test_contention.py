"""Many at once on the same rows: nobody waits in a circle, and of two who want one thing one gets it."""

import asyncio
from datetime import timedelta

from jobmill.adapters.sql import SqlStore
from jobmill.application.ports.job_repository import NewJob, Replayed, Saved, Stale, Stored
from jobmill.application.ports.leases import Busy, Lost, Renewed
from jobmill.domain.idempotency import KeyClaim

from tests.builders import HOUR, a_job, a_stamp, handed_back, stamps, started
from tests.contract.store_world import StoreWorld
from tests.integration.sql.backends import Backends


async def test_of_many_claims_of_one_job_one_is_saved(world: StoreWorld) -> None:
    job = await world.queued()
    claims = [started(job, worker=f"worker-{number}", now=world.now) for number in range(20)]

    answers = await asyncio.gather(*(world.save(claim) for claim in claims))

    [winner] = [answer.job for answer in answers if isinstance(answer, Saved)]
    assert await world.seen(job) == winner
    assert sum(isinstance(answer, Stale) for answer in answers) == 19


async def test_two_moves_of_one_job_in_a_batch_are_answered_each_for_itself(world: StoreWorld) -> None:
    """Nobody should ask so. Told that both were saved, a worker would run the job twice."""
    job = await world.queued()
    claims = [started(job, worker=name, now=world.now) for name in ("one", "other")]

    answers = await world.store.jobs.save(claims)

    seen = await world.seen(job)
    assert [isinstance(answer, Saved) for answer in answers] == [
        claim.job.fence == seen.fence for claim in claims
    ]
    assert sorted(type(answer).__name__ for answer in answers) == ["Saved", "Stale"]


async def test_a_notice_announced_again_under_the_same_row_is_counted_once(world: StoreWorld) -> None:
    job = await world.queued()
    rows = stamps(1)

    first = await world.store.outbox.announce([job.fence], rows=rows)
    second = await world.store.outbox.announce([job.fence], rows=rows)

    assert first == second
    assert (await world.seen(job)).announces == 1


async def test_a_lease_whose_row_is_locked_is_busy_and_the_others_are_renewed(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    busy, free, lost = [await postgres_world.running() for _ in range(3)]
    await postgres_world.saved(handed_back(lost, now=postgres_world.now))

    async with backends.holding(busy.id):
        answers = await postgres_world.store.leases.renew([busy.fence, free.fence, lost.fence], ttl=2 * HOUR)

    assert answers == [Busy(), Renewed(stop_asked=False), Lost()]
    assert (await postgres_world.seen(busy)).lease_until == busy.lease_until


async def test_of_many_requests_under_one_key_one_is_stored_and_all_show_its_job(store: SqlStore) -> None:
    key = KeyClaim(scope="ada", key="order-7", fingerprint="f")
    units = [[NewJob(job=a_job(), keys=(key,))] for _ in range(20)]

    answers = [answer for [[answer]] in await asyncio.gather(*(store.jobs.add([unit]) for unit in units))]

    [winner] = [answer.job for answer in answers if isinstance(answer, Stored)]
    assert [answer.job for answer in answers if isinstance(answer, Replayed)] == [winner] * 19
    assert len(await store.finder.counts()) == 1


async def test_a_key_held_for_no_time_is_never_taken_from_a_job_just_stored(store: SqlStore) -> None:
    """Its hold is over at once, and to a statement begun before it was stored its job looks gone."""
    key = KeyClaim(scope="unique", key="report", hold=timedelta(0))
    for _ in range(10):
        added = [store.jobs.add([[NewJob(job=a_job(), keys=(key,))]]) for _ in range(10)]
        answers = [answer for [[answer]] in await asyncio.gather(*added)]
        stored = [answer.job for answer in answers if isinstance(answer, Stored)]

        assert len(stored) == 1
        await store.jobs.save([stored[0].cancel(now=store.clock.now(), stamp=a_stamp())])


async def test_two_leaders_who_refill_share_the_way(world: StoreWorld) -> None:
    jobs = [await world.queued() for _ in range(40)]
    await world.forgets_all_notices()
    await world.store.epochs.begin("epoch-2")

    async def refill() -> int:
        looked_at = 0
        while found := await world.store.epochs.refill(stamps(7)):
            looked_at += found
        return looked_at

    assert sum(await asyncio.gather(refill(), refill())) == len(jobs)
    assert sorted(notice.job.id for notice in await world.notices()) == sorted(job.id for job in jobs)


async def test_a_refill_repeated_after_a_lost_answer_passes_nobody_over(world: StoreWorld) -> None:
    jobs = [await world.queued() for _ in range(6)]
    await world.forgets_all_notices()
    await world.store.epochs.begin("epoch-2")
    rows = stamps(3)

    assert await world.store.epochs.refill(rows) == 3
    assert await world.store.epochs.refill(rows) == 3
    assert await world.store.epochs.refill(stamps(10)) == 3

    assert {notice.job.id for notice in await world.notices()} == {job.id for job in jobs}
