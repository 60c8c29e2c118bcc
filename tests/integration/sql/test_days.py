"""The days of jobs on PostgreSQL: there before they are needed, gone when all of theirs is past."""

from asyncio import gather
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest
import pytest_asyncio

from jobmill.adapters.sql import days, open_sql_store
from jobmill.adapters.sql.id_times import lowest_id
from jobmill.adapters.sql.partitions import Partition
from jobmill.application.errors import SetupFault, StorageUnavailable
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.job import Job
from jobmill.domain.retention import Retention
from jobmill.domain.states import JobState

from tests.builders import DAY, HOUR, a_job_that_is, a_stamp, an_id_made
from tests.contract.store_world import StoreWorld
from tests.integration.sql.days_by_hand import attached, began_long_ago, midnight, name_of, names, place_of

KEEP: Final = Retention(done=HOUR, dead=30 * DAY).by_state


@pytest.fixture
def migrated_url(copied_url: str) -> str:
    """Its partitions are looked for by name, and a slate keeps copies."""
    return copied_url


@pytest_asyncio.fixture
async def hand(migrated_url: str) -> AsyncGenerator[asyncpg.Connection]:
    """A connection of an operator's own."""
    connection = await asyncpg.connect(migrated_url)
    yield connection
    await connection.close()


async def turned(world: StoreWorld, keep: Mapping[JobState, timedelta] = KEEP) -> int:
    """How many steps there were to take."""
    turns = 0
    while await world.store.retention.turn(keep):
        turns += 1
        assert turns < 50
    return turns


async def of_a_day(world: StoreWorld, hand: asyncpg.Connection, days_ago: int) -> Sequence[Job]:
    """A finished job, and one of each kind that has to stay."""
    at = midnight(world) - days_ago * DAY + HOUR

    async def has(state: JobState, *, keys: tuple[KeyClaim, ...] = (), **facts: Any) -> Job:
        return await world.has(a_job_that_is(state, now=at, id=an_id_made(at), **facts), keys=keys)

    over, held = (
        KeyClaim(scope="s", key=f"{name}-{at}", hold=hold) for name, hold in (("a", -HOUR), ("b", HOUR))
    )
    return [
        await has(JobState.SUCCEEDED, tags=("red",), keys=(over,)),
        await has(JobState.SUCCEEDED, keys=(held,)),
        await has(JobState.SUCCEEDED, finished_at=world.now),
        *[await has(state, tags=("red",)) for state in JobState if state not in KEEP or KEEP[state] > DAY],
    ]


async def test_a_day_goes_whole_and_what_has_to_stay_stays(
    postgres_world: StoreWorld, hand: asyncpg.Connection
) -> None:
    world = postgres_world
    await began_long_ago(world, hand, days_ago=3)
    jobs = {ago: await of_a_day(world, hand, ago) for ago in (3, 2, 1)}
    today = await world.queued()

    await turned(world)

    expected = {name_of(midnight(world) + day * DAY) for day in range(-1, days.AHEAD + 1)}
    yesterday = name_of(midnight(world) - DAY)  # past or not, by the hour
    assert {*await names(hand), yesterday} == expected | {"jobs_old", "jobs_later"}
    for past, *stay in (jobs[3], jobs[2]):
        rows = await world.store.jobs.get([job.id for job in (past, *stay)])
        assert rows == [None, *stay]
        assert await hand.fetch("SELECT FROM job_tags WHERE job_id = $1", past.id) == []
        assert await hand.fetch("SELECT FROM job_keys WHERE job_id = $1", past.id) == []
        dead = next(job for job in stay if job.state is JobState.FAILED)
        assert len(await hand.fetch("SELECT FROM job_tags WHERE job_id = $1", dead.id)) == 1
        assert await place_of(hand, dead) == "jobs_old"
        assert len(await hand.fetch("SELECT FROM job_keys WHERE job_id = $1", stay[0].id)) == 1
    assert await world.seen(today) == today
    assert await hand.fetchval("SELECT count(*) FROM gone_ids") == 0
    assert await hand.fetchval("SELECT to_regclass('jobs_gone')") is None
    assert await turned(world) == 0


async def test_a_job_that_stayed_goes_on_as_any_other(
    postgres_world: StoreWorld, hand: asyncpg.Connection
) -> None:
    world = postgres_world
    await began_long_ago(world, hand, days_ago=3)
    jobs = await of_a_day(world, hand, 3)
    await turned(world)
    dead = next(job for job in jobs if job.state is JobState.FAILED)

    again = await world.saved(dead.requeue(now=world.now, stamp=a_stamp()))

    assert await world.seen(again) == again
    assert [notice.job for notice in await world.notices_of(again)] == [again]


async def test_a_day_with_too_many_that_stay_waits(
    postgres_world: StoreWorld, hand: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = postgres_world
    await began_long_ago(world, hand, days_ago=3)
    jobs = await of_a_day(world, hand, 3)
    monkeypatch.setattr(days, "STAY_MAX", len(jobs) - 2)

    await turned(world)

    assert name_of(midnight(world) - 3 * DAY) in await names(hand)
    assert await world.store.jobs.get([job.id for job in jobs]) == jobs


async def test_what_an_operator_calls_back_meanwhile_stays(
    postgres_world: StoreWorld, hand: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stays is found before the lock is taken; here a dead letter is called back in between."""
    world = postgres_world
    await began_long_ago(world, hand, days_ago=3)
    at = midnight(world) - 3 * DAY + HOUR
    dead, past = [
        await world.has(a_job_that_is(state, now=at, id=an_id_made(at)))
        for state in (JobState.FAILED, JobState.SUCCEEDED)
    ]
    promise = days.Days._promise

    async def called_back_first(self: days.Days, grown: Partition) -> None:
        await promise(self, grown)
        if (await world.seen(dead)).state is JobState.FAILED:
            await world.saved(dead.requeue(now=world.now, stamp=a_stamp()))

    monkeypatch.setattr(days.Days, "_promise", called_back_first)
    await turned(world, Retention(done=HOUR, dead=HOUR).by_state)

    assert (await world.seen(dead)).state is JobState.QUEUED
    assert await world.store.jobs.get([past.id]) == [None]


async def test_what_comes_and_ends_there_meanwhile_finds_its_place_again(
    postgres_world: StoreWorld, hand: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that is days behind."""
    world = postgres_world
    await began_long_ago(world, hand, days_ago=3)
    late = a_job_that_is(JobState.SUCCEEDED, now=world.now, id=an_id_made(midnight(world) - 3 * DAY + HOUR))
    promise = days.Days._promise

    async def added_first(self: days.Days, grown: Partition) -> None:
        await promise(self, grown)
        await world.add(late)

    monkeypatch.setattr(days.Days, "_promise", added_first)
    await turned(world)

    assert await world.store.jobs.get([late.id]) == [late]


async def test_partitions_are_made_before_they_are_needed(
    postgres_world: StoreWorld, hand: asyncpg.Connection
) -> None:
    world = postgres_world
    await began_long_ago(world, hand, days_ago=0)
    for day in (3, 2):
        await hand.execute(f"DROP TABLE {name_of(midnight(world) + day * DAY)}")
    await hand.execute("ALTER TABLE jobs DETACH PARTITION jobs_later")
    start = lowest_id(midnight(world) + 2 * DAY)
    await hand.execute(
        f"ALTER TABLE jobs ATTACH PARTITION jobs_later FOR VALUES FROM ('{start}') TO (MAXVALUE)"
    )

    await turned(world)

    assert set(await names(hand)) >= {name_of(midnight(world) + day * DAY) for day in range(4)}


async def test_jobs_from_later_days_are_taken_and_kept(
    postgres_world: StoreWorld, hand: asyncpg.Connection
) -> None:
    """A leader was away for a month; a client's clock is a year ahead."""
    world = postgres_world
    then = world.now
    await began_long_ago(world, hand, days_ago=0)
    far, soon, absurd = [
        await world.has(a_job_that_is(JobState.QUEUED, now=then, id=an_id_made(then + ahead)))
        for ahead in (365 * DAY, (days.AHEAD + 1) * DAY, 2_000_000 * DAY)
    ]
    for day in (3, 2, 1):
        await hand.execute(f"DROP TABLE {name_of(midnight(world) + day * DAY)}")
    await hand.execute("ALTER TABLE jobs DETACH PARTITION jobs_later")
    start = lowest_id(midnight(world) + DAY)
    await hand.execute(
        f"ALTER TABLE jobs ATTACH PARTITION jobs_later FOR VALUES FROM ('{start}') TO (MAXVALUE)"
    )
    near = await world.has(a_job_that_is(JobState.QUEUED, now=then, id=an_id_made(then + DAY)))

    await turned(world)

    kept = [far, soon, absurd, near]
    assert await world.store.jobs.get([job.id for job in kept]) == kept
    assert await place_of(hand, near) == name_of(midnight(world) + DAY)
    assert await place_of(hand, far) == "jobs_later"


async def test_several_leaders_at_once_take_turns(
    postgres_world: StoreWorld, hand: asyncpg.Connection
) -> None:
    """Each looks at the partitions, and then all come to lock them."""
    world = postgres_world
    await began_long_ago(world, hand, days_ago=4)
    await of_a_day(world, hand, 4)
    await hand.execute("ALTER TABLE jobs DETACH PARTITION jobs_later")
    await hand.execute(f"DROP TABLE {name_of(midnight(world) + days.AHEAD * DAY)}")
    start = lowest_id(midnight(world) + days.AHEAD * DAY)
    await attached(hand, "jobs_later", f"'{start}'", "MAXVALUE")
    found: list[bool | BaseException] = [True]
    while any(found):
        found = await gather(*(world.store.retention.turn(KEEP) for _ in range(4)), return_exceptions=True)
        assert all(isinstance(each, bool | StorageUnavailable) for each in found), found

    assert await turned(world) == 0
    assert name_of(midnight(world) + days.AHEAD * DAY) in await names(hand)
    assert name_of(midnight(world) - 4 * DAY) not in await names(hand)


async def test_a_locked_table_is_not_waited_for_long(
    postgres_world: StoreWorld, hand: asyncpg.Connection
) -> None:
    world = postgres_world
    await began_long_ago(world, hand, days_ago=3)
    async with hand.transaction():
        await hand.execute("LOCK TABLE jobs IN ROW EXCLUSIVE MODE")
        await hand.execute("LOCK TABLE jobs_old IN ROW EXCLUSIVE MODE")

        with pytest.raises(StorageUnavailable):
            await world.store.retention.turn(KEEP)

        assert await world.seen(await world.queued()) is not None
    assert await turned(world) > 0


async def test_a_user_who_owns_no_tables_is_told(
    postgres_world: StoreWorld, hand: asyncpg.Connection, migrated_url: str
) -> None:
    world = postgres_world
    await began_long_ago(world, hand, days_ago=3)
    role = f"clerk_{a_stamp() & 0xFFFFFF:x}"
    await hand.execute(f"CREATE ROLE {role} LOGIN")
    try:
        await hand.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
        async with open_sql_store(migrated_url.replace("postgres@", f"{role}@")) as store:
            with pytest.raises(SetupFault, match="owner"):
                await store.retention.turn(KEEP)
    finally:
        await hand.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
