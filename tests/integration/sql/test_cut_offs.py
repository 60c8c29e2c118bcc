"""Connections that end, hang or run out: what is unknown, what surely did not happen, and what goes on."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import AdaptedConnection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from jobmill.adapters.sql import SqlStore, migrate, open_sql_store
from jobmill.adapters.sql.database import PAUSES_S
from jobmill.adapters.sql.postgres_line import PostgresLine
from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.ports.job_repository import NewJob, Saved, Stored
from jobmill.application.ports.store import Store
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.states import JobState

from tests.builders import a_job, a_stamp, failed, started
from tests.contract.store_world import StoreWorld
from tests.integration.sql.backends import Backends
from tests.integration.sql.hearing import heard
from tests.servers.private_postgres import PrivatePostgres
from tests.servers.waiting import until


async def test_a_save_that_is_cut_off_is_unknown_and_can_be_repeated(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    job = await postgres_world.running()
    failure = failed(job, now=postgres_world.now)
    async with backends.holding(job.id):
        saving = asyncio.create_task(postgres_world.store.jobs.save([failure]))
        await backends.wait()
        await backends.end_those_that_wait()
        with pytest.raises(StorageUnknown):
            await saving

    assert await postgres_world.seen(job) == job
    assert isinstance(await postgres_world.save(failure), Saved)
    assert len((await postgres_world.story(job)).history) == 1


async def test_an_add_with_keys_that_is_cut_off_is_unknown_and_leaves_nothing(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    first, second, key = a_job(), a_job(), KeyClaim(scope="s", key="k")
    add = postgres_world.store.jobs.add
    async with backends.doing("LOCK TABLE job_keys IN ACCESS EXCLUSIVE MODE"):
        adding = asyncio.create_task(add([[NewJob(job=first, keys=(key,))]]))
        await backends.wait()
        await backends.end_those_that_wait()
        with pytest.raises(StorageUnknown):
            await adding

    assert await add([[NewJob(job=second, keys=(key,))]]) == [[Stored(job=second)]]


@contextmanager
def no_second_look(store: SqlStore) -> Iterator[None]:
    """While the block lasts, the connection is lost before a write's answer can be completed."""
    cuts = []

    def cut(statement: str) -> None:
        if statement.startswith(("WITH wanted", "SELECT jobs.id")):
            cuts.append(statement)
            raise ConnectionResetError

    with heard(store._database.reads.sync_engine, cut):
        yield
    assert cuts


async def test_a_save_is_unknown_when_only_the_look_at_its_stale_part_fails(
    store: SqlStore, world: StoreWorld
) -> None:
    """Part of it was saved by then, so nobody may say that surely nothing was changed."""
    waiting, gone = await world.queued(), await world.running()
    moves = [started(waiting, now=world.now), started(evolve(gone, state=waiting.state), now=world.now)]
    with no_second_look(store), pytest.raises(StorageUnknown):
        await store.jobs.save(moves)

    assert (await world.seen(waiting)).fence == moves[0].job.fence


async def test_an_add_is_unknown_when_only_the_look_at_its_repeated_part_fails(
    store: SqlStore, world: StoreWorld
) -> None:
    there, new = await world.queued(), a_job()
    with no_second_look(store), pytest.raises(StorageUnknown):
        await store.jobs.add([[NewJob(job=there)], [NewJob(job=new)]])

    assert await world.seen(new) == new


async def test_a_read_that_is_cut_off_is_asked_again_for_it_changed_nothing(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    job = await postgres_world.running()
    async with backends.doing("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"):
        counting = asyncio.create_task(postgres_world.store.finder.counts())
        await backends.wait()
        await backends.end_those_that_wait()

    assert await counting == {(job.queue, JobState.PROCESSING): 1}


async def test_a_read_that_is_always_cut_off_is_unavailable(postgres: SqlStore, backends: Backends) -> None:
    async with backends.doing("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"):
        counting = asyncio.create_task(postgres.finder.counts())
        for _ in range(1 + len(PAUSES_S)):
            await backends.wait()
            await backends.end_those_that_wait()
        with pytest.raises(StorageUnavailable):
            await counting


@contextmanager
def connections_of(store: SqlStore) -> Iterator[list[Any]]:
    """The driver's connections that are opened within the block."""
    opened: list[Any] = []

    def note(connection: AdaptedConnection, _record: object) -> None:
        opened.append(connection.driver_connection)

    for engine in engines_of(store):
        event.listen(engine.sync_engine, "connect", note)
    yield opened
    for engine in engines_of(store):
        event.remove(engine.sync_engine, "connect", note)


def engines_of(store: SqlStore) -> tuple[AsyncEngine, AsyncEngine]:
    """The pool for everything, and that of the hot path."""
    line = store._database.line
    assert isinstance(line, PostgresLine)
    return store._database.units, line._engine


async def all_closed(connections: list[Any]) -> bool:
    return all(connection.is_closed() for connection in connections)


async def test_connections_that_ended_in_the_pool_are_replaced_unnoticed(
    postgres: SqlStore, postgres_world: StoreWorld, backends: Backends
) -> None:
    job = await postgres_world.queued()
    with connections_of(postgres) as connections:
        for engine in engines_of(postgres):
            await engine.dispose()
        await asyncio.gather(
            *(postgres.check() for _ in range(5)), *(postgres.jobs.get([job.id]) for _ in range(3))
        )
        await backends.end_all()
        assert await until(lambda: all_closed(connections), within_s=10.0)

    assert len(connections) > 1
    assert isinstance(await postgres_world.save(started(job, now=postgres_world.now)), Saved)


async def test_a_row_that_stays_locked_is_unavailable_after_a_few_tries(
    migrated_url: str, backends: Backends
) -> None:
    async with open_sql_store(migrated_url, lock_timeout_s=0.05) as store:
        world = StoreWorld(store=store)
        job = await world.running()
        async with backends.holding(job.id):
            with pytest.raises(StorageUnavailable, match="lock timeout"):
                await world.save(failed(job, now=world.now))

        assert isinstance(await world.save(failed(job, now=world.now)), Saved)


async def test_a_statement_that_takes_too_long_is_unknown(migrated_url: str, backends: Backends) -> None:
    async with open_sql_store(migrated_url, statement_timeout_s=0.1) as store:
        world = StoreWorld(store=store)
        job = await world.running()
        async with backends.holding(job.id):
            with pytest.raises(StorageUnknown):
                await world.save(failed(job, now=world.now))

        assert isinstance(await world.save(failed(job, now=world.now)), Saved)


async def test_a_pool_that_is_used_up_is_unavailable_and_says_when_to_come_back(
    migrated_url: str, backends: Backends
) -> None:
    async with open_sql_store(migrated_url, pool_size=2, pool_wait_s=0.05) as store:
        world = StoreWorld(store=store)
        jobs = [await world.running() for _ in range(2)]
        async with backends.holding(*(job.id for job in jobs)):
            saves = [asyncio.create_task(world.save(failed(job, now=world.now))) for job in jobs]
            await backends.wait()
            with pytest.raises(StorageUnavailable, match="in use") as refused:
                await store.jobs.get([jobs[0].id])

        assert refused.value.retry_after == timedelta(seconds=1)
        assert all(isinstance(answer, Saved) for answer in await asyncio.gather(*saves))


async def test_a_server_that_hangs_keeps_nobody_for_ever(own_postgres: PrivatePostgres) -> None:
    await migrate(own_postgres.url)
    async with open_sql_store(own_postgres.url, statement_timeout_s=0.2) as store:
        world = StoreWorld(store=store)
        job = await world.queued()
        own_postgres.freeze()
        with pytest.raises(StorageUnknown):
            await world.save(started(job, now=world.now))
        own_postgres.thaw()

        await store.check()


async def test_a_store_outlives_the_crash_of_its_server(own_postgres: PrivatePostgres) -> None:
    await migrate(own_postgres.url)
    async with open_sql_store(own_postgres.url) as store:
        world = StoreWorld(store=store)
        job = await world.queued()
        await own_postgres.kill()
        with pytest.raises(StorageUnavailable):
            await store.check()
        await own_postgres.start()

        assert await world.seen(job) == job


async def answers(store: Store) -> bool:
    try:
        await store.check()
    except StorageUnavailable:
        return False
    return True


async def test_a_standby_is_left_for_a_new_connection(postgres_world: StoreWorld, backends: Backends) -> None:
    """A primary that lost its office refuses to write; a later connection may meet the new one."""
    job = await postgres_world.queued()
    database = await backends.connection.fetchval("SELECT current_database()")
    await backends.connection.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    await backends.end_all()
    assert await until(lambda: answers(postgres_world.store), within_s=10.0)
    with pytest.raises(StorageUnknown, match="read-only"):
        await postgres_world.save(started(job, now=postgres_world.now))
    await backends.connection.execute("SET default_transaction_read_only = off")
    await backends.connection.execute(f'ALTER DATABASE "{database}" RESET default_transaction_read_only')

    assert isinstance(await postgres_world.save(started(job, now=postgres_world.now)), Saved)


async def test_a_migration_under_a_running_store_is_not_noticed(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    """Statements prepared before the change are refused once by the server, and prepared again."""
    job = await postgres_world.queued()
    assert await postgres_world.seen(job) == job
    await backends.connection.execute("ALTER TABLE jobs ALTER COLUMN type TYPE varchar(200)")

    assert await postgres_world.seen(job) == job
    cancelled = job.cancel(now=postgres_world.now, stamp=a_stamp())
    assert isinstance(await postgres_world.save(cancelled), Saved)
