"""Batches and chains in a whole Jobmill on a real database, by clients of every kind."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, Final

import pytest
import pytest_asyncio

import jobmill
from jobmill import JobState, Submission

from tests.integration.sql.running import Running, open_client, run_mill
from tests.integration.sql.shop import Charge, Shop, charge, commits, open_shop

LONG: Final = timedelta(seconds=30)
DRIVER: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


@pytest_asyncio.fixture
async def running(url: str) -> AsyncGenerator[Running]:
    async with run_mill(url) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["database-sync", "http"])
async def test_a_batch_is_run_and_its_callback_after_it(kind: str, running: Running) -> None:
    parts = [Submission(charge, Charge(at)) for at in range(3)]
    parts.append(Submission(charge, Charge(9, "declined")))
    parts.append(Submission(charge, Charge(10), options={"follows": 3}))
    async with open_client(kind, running) as mill:
        batch = await mill.submit_batch(parts, callback=Submission(charge, Charge(100)))
        done = await mill.wait(batch.callback, timeout=LONG)
        report = await mill.batch(batch)

    assert (done.status, done.batch) == (JobState.SUCCEEDED, batch.id)
    assert [job.batch for job in batch.jobs] == [batch.id] * 5
    assert (report.size, report.succeeded, report.failed, report.cancelled) == (5, 3, 1, 1)
    assert (report.unfinished, report.gone) == (0, 0)


@pytest.mark.parametrize("kind", ["database"])
async def test_a_job_follows_another_by_its_id(kind: str, running: Running) -> None:
    async with open_client(kind, running) as mill:
        first = await mill.submit(charge, Charge(1))
        second = await mill.submit(charge, Charge(2), follows=first)
        done = await mill.wait(second, timeout=LONG)

        assert (second.status, second.follows) == (JobState.SCHEDULED, first.id)
        assert done.succeeded
        assert done.started_at is not None
        finished_at = (await mill.get(first)).finished_at
        assert finished_at is not None
        assert done.started_at >= finished_at
        with pytest.raises(jobmill.InvalidInput) as caught:
            await mill.submit(charge, Charge(3), follows="0190c1a0-0000-7000-8000-000000000000")
        assert caught.value.errors[0][0] == "/follows"


async def test_the_same_batch_sent_again_is_the_same_batch(running: Running) -> None:
    part = Submission(charge, Charge(1), options={"idempotency_key": "a"})
    last = Submission(charge, Charge(2), options={"idempotency_key": "b"})
    async with open_client("http", running) as mill:
        first = await mill.submit_batch([part], callback=last)
        again = await mill.submit_batch([part], callback=last)
        assert (again.id, again.jobs[0].id) == (first.id, first.jobs[0].id)
        assert again.callback.replayed
        with pytest.raises(jobmill.IdempotencyConflict):
            await mill.submit_batch(
                [part, Submission(charge, Charge(3), options={"idempotency_key": "c"})], callback=last
            )


@pytest_asyncio.fixture
async def shop(url: str) -> AsyncGenerator[Shop]:
    async with open_shop(url, DRIVER[url.partition(":")[0]]) as opened:
        yield opened


async def test_a_batch_comes_with_the_callers_commit_or_not_at_all(url: str, shop: Shop) -> None:
    parts: list[Submission[Any]] = [
        Submission(charge, Charge(1)),
        Submission(charge, Charge(2), options={"follows": 0}),
    ]
    async with jobmill.connect(url) as mill:
        async with shop.session() as session:
            await mill.submit_batch(parts, callback=Submission(charge, Charge(3)), within=session)
        assert await shop.counts() == {}

        async with shop.session() as session:
            batch = await mill.submit_batch(parts, callback=Submission(charge, Charge(3)), within=session)
            await commits(session)

    assert await shop.counts() == {"jobs": 3, "outbox": 1}
    async with run_mill(url) as running, open_client("database", running) as mill:
        await mill.wait(batch.callback, timeout=LONG)
        assert (await mill.batch(batch)).succeeded == 2


async def test_nothing_stored_before_can_be_followed_within_a_transaction(url: str, shop: Shop) -> None:
    async with jobmill.connect(url) as mill:
        first = await mill.submit(charge, Charge(1))
        async with shop.session() as session:
            with pytest.raises(jobmill.InvalidInput, match="earlier job of the same call"):
                await mill.submit(charge, Charge(2), follows=first, within=session)
        with pytest.raises(jobmill.InvalidInput, match="earlier job of the same call"):
            mill.as_sql(charge, Charge(2), follows=first)
