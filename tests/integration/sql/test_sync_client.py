"""The client that is not async: its threads, and the sessions that it takes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

import jobmill

from tests.integration.sql.shop import Charge, charge

JOBS = 40


def test_many_threads_share_one_client(url: str) -> None:
    with jobmill.connect_sync(url) as mill, ThreadPoolExecutor(8) as threads:
        jobs = list(threads.map(lambda at: mill.submit(charge, Charge(at)), range(JOBS)))

        assert len({job.id for job in jobs}) == len(mill.list(limit=200)) == JOBS


def test_a_scoped_session_is_the_session_of_its_thread(sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    scoped = scoped_session(sessionmaker(engine))
    with jobmill.connect_sync(sqlite_url) as mill:
        job = mill.submit(charge, Charge(7), within=scoped)
        scoped.commit()

        assert mill.get(job).id == job.id
    scoped.remove()
    engine.dispose()


async def test_an_async_scoped_session_is_the_session_of_its_task(sqlite_url: str) -> None:
    engine = create_async_engine(make_url(sqlite_url).set(drivername="sqlite+aiosqlite"))
    scoped = async_scoped_session(async_sessionmaker(engine), scopefunc=lambda: 0)
    async with jobmill.connect(sqlite_url) as mill:
        job = await mill.submit(charge, Charge(7), within=scoped)
        await scoped.commit()

        assert (await mill.get(job)).id == job.id
    await scoped.remove()
    await engine.dispose()


async def test_a_session_that_is_async_belongs_to_the_async_client(sqlite_url: str) -> None:
    engine = create_async_engine(make_url(sqlite_url).set(drivername="sqlite+aiosqlite"))
    async with AsyncSession(engine) as session:
        with jobmill.connect_sync(sqlite_url) as mill:
            with pytest.raises(jobmill.InvalidInput, match=r"async with jobmill\.connect"):
                mill.submit(charge, Charge(7), within=session)
            assert mill.list() == []
    await engine.dispose()


def test_a_session_without_a_database_and_a_closed_connection_are_refused(sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    connection = engine.connect()
    connection.close()
    with jobmill.connect_sync(sqlite_url) as mill, Session() as session:
        for within, word in ((session, "bound to no database"), (connection, "closed")):
            wrong: Any = within
            with pytest.raises(jobmill.InvalidInput, match=word):
                mill.submit(charge, Charge(7), within=wrong)
    engine.dispose()


def test_an_error_of_the_opening_leaves_a_client_that_may_be_tried_again(sqlite_url: str) -> None:
    with jobmill.connect_sync(f"{sqlite_url}.gone") as mill:
        for _ in range(2):
            with pytest.raises(jobmill.SetupFault, match="no Jobmill here"):
                mill.list()
