"""What the documentation shows, run: the very functions that the type checkers have read."""

from collections.abc import AsyncGenerator

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import jobmill
from jobmill import JobState

from tests.typing import right_use
from tests.typing.shop_jobs import Thumbnail, charge, make_thumbnail


@pytest_asyncio.fixture
async def engine(migrated_url: str) -> AsyncGenerator[AsyncEngine]:
    opened = create_async_engine(make_url(migrated_url).set(drivername="postgresql+asyncpg"))
    yield opened
    await opened.dispose()


async def test_the_async_example_stores_the_job_with_the_callers_transaction(
    migrated_url: str, engine: AsyncEngine
) -> None:
    async with AsyncSession(engine) as session:
        job = await right_use.submits_within(session, migrated_url)

    async with jobmill.connect(migrated_url) as mill:
        assert (await mill.get(job)).payload == {"order": 7, "card": "tok_1", "cents": 1250}


@pytest.mark.parametrize("is_committed", [True, False])
def test_the_example_for_django_stores_the_job_with_the_cursors_transaction(
    migrated_url: str, is_committed: bool
) -> None:
    with jobmill.connect_sync(migrated_url) as mill:
        with psycopg.connect(migrated_url) as connection, connection.cursor() as cursor:
            cursor.execute(*right_use.writes_sql(mill))  # type: ignore[call-overload]
            if not is_committed:
                connection.rollback()

        assert [job.type for job in mill.list()] == ["order.charge"] * is_committed


def test_the_sync_examples_store_their_jobs(migrated_url: str) -> None:
    engine = create_engine(make_url(migrated_url).set(drivername="postgresql+psycopg"))
    with jobmill.connect_sync(migrated_url) as mill, Session(engine) as session:
        session.execute(text("SELECT 1"))
        job = right_use.submits_within_sync(mill, session)
        assert mill.list() == []
        session.commit()

        assert [each.id for each in mill.list()] == [job.id]
    engine.dispose()


async def test_the_function_of_a_handler_is_tested_as_it_is() -> None:
    assert await right_use.calls_the_function_itself() == {"path": "a.png-320.png"}
    assert (make_thumbnail.name, charge.rules.queue) == ("thumbnail.make", "payments")


async def test_the_example_of_every_verb_does_what_it_says(migrated_url: str, engine: AsyncEngine) -> None:
    async with jobmill.connect(migrated_url) as mill, engine.connect() as connection:
        job = await mill.submit(make_thumbnail, Thumbnail("a.png"), within=connection)
        with pytest.raises(jobmill.JobNotFound):
            await mill.get(job)
        await connection.commit()

        assert (await mill.get(job)).status is JobState.QUEUED
