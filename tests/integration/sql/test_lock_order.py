"""Batches on the same rows, in any order: nobody ever waits in a circle.

Each test keeps the rows from several batches until all of them stand in line, each at the first row that it
wants, and lets go. Were that not the same row for all, each would now hold one that the others want.
"""

import asyncio
from contextlib import AsyncExitStack
from random import Random

import pytest

from jobmill.adapters.sql import database, open_sql_store
from jobmill.application.ports.job_repository import NewJob, Saved, Stale, Stored
from jobmill.application.ports.leases import Renewed
from jobmill.domain.idempotency import KeyClaim

from tests.builders import HOUR, a_job, started, succeeded
from tests.contract.store_world import StoreWorld
from tests.integration.sql.backends import Backends

ROWS = 30
BATCHES = 4

dice = Random(7)


@pytest.fixture(autouse=True)
def no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that met a deadlock or a busy file is not tried again, so that the test hears of it."""
    monkeypatch.setattr(database, "PAUSES_S", ())


async def test_saves_lock_their_jobs_in_one_order(postgres_world: StoreWorld, backends: Backends) -> None:
    jobs = [await postgres_world.queued() for _ in range(ROWS)]
    async with backends.holding(*(job.id for job in jobs)):
        saves = []
        for _ in range(BATCHES):
            claims = [started(job, now=postgres_world.now) for job in dice.sample(jobs, ROWS)]
            saves.append(asyncio.create_task(postgres_world.store.jobs.save(claims)))
        await backends.wait(BATCHES)

    answers = [answer for batch in await asyncio.gather(*saves) for answer in batch]
    assert sum(isinstance(answer, Saved) for answer in answers) == ROWS
    assert sum(isinstance(answer, Stale) for answer in answers) == ROWS * (BATCHES - 1)


async def test_stop_requests_lock_their_jobs_in_one_order(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    jobs = [await postgres_world.running() for _ in range(ROWS)]
    ask = postgres_world.store.leases.ask_to_stop
    async with backends.holding(*(job.id for job in jobs)):
        asked = [
            asyncio.create_task(ask([job.id for job in dice.sample(jobs, ROWS)])) for _ in range(BATCHES)
        ]
        await backends.wait(BATCHES)

    assert all(all(batch) for batch in await asyncio.gather(*asked))


async def test_a_settling_batch_and_a_renewal_do_not_meet(
    postgres_world: StoreWorld, backends: Backends
) -> None:
    jobs = [await postgres_world.running() for _ in range(3)]
    async with backends.holding(jobs[0].id):
        settles = [succeeded(job, now=postgres_world.now) for job in jobs]
        settling = asyncio.create_task(postgres_world.store.jobs.save(settles))
        await backends.wait()
        answers = await postgres_world.store.leases.renew([job.fence for job in jobs[1:]], ttl=HOUR)

    assert answers == [Renewed(stop_asked=False)] * 2
    assert all(isinstance(answer, Saved) for answer in await settling)


async def test_processes_forget_notices_in_one_order(
    postgres_world: StoreWorld, migrated_url: str, backends: Backends
) -> None:
    """Each has one connection for that, so a process never stands in its own way."""
    for _ in range(ROWS):
        await postgres_world.queued()
    rows = [notice.row for notice in await postgres_world.notices()]
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(open_sql_store(migrated_url)) for _ in range(BATCHES)]
        async with backends.doing("SELECT FROM outbox FOR UPDATE"):
            forgets = [asyncio.create_task(store.outbox.forget(dice.sample(rows, ROWS))) for store in stores]
            await backends.wait(BATCHES)
        await asyncio.gather(*forgets)

    assert await postgres_world.notices() == []


async def test_keys_are_taken_in_one_order(postgres_world: StoreWorld, backends: Backends) -> None:
    names = [f"key-{number:02}" for number in range(ROWS)]
    taken = (
        "INSERT INTO job_keys (scope, key, job_id, fingerprint, expires_at)"
        " SELECT 's', key, gen_random_uuid(), '', now() FROM unnest($1::text[]) AS key"
    )
    async with backends.doing(taken, names):
        adds = []
        for _ in range(BATCHES):
            claims = [KeyClaim(scope="s", key=name) for name in dice.sample(names, ROWS)]
            unit = [NewJob(job=a_job(), keys=(claim,)) for claim in claims]
            adds.append(asyncio.create_task(postgres_world.store.jobs.add([unit])))
        await backends.wait(BATCHES)

    answers = [answer for [unit] in await asyncio.gather(*adds) for answer in unit]
    assert sum(isinstance(answer, Stored) for answer in answers) == ROWS


async def test_two_processes_write_one_sqlite_file(sqlite_url: str) -> None:
    """Their transactions read before they write, and still none has to begin again."""
    async with open_sql_store(sqlite_url) as one, open_sql_store(sqlite_url) as other:
        keys = [KeyClaim(scope="s", key=f"key-{number}") for number in range(80)]
        added = [
            store.jobs.add([[NewJob(job=a_job(), keys=(key,))]])
            for store, key in zip((one, other) * 40, keys, strict=True)
        ]
        await asyncio.gather(*added)

        assert sum((await one.finder.counts()).values()) == 80
