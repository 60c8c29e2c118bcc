"""``foreign_commit`` on SQLite: news of other processes, and none of one's own doings."""

import asyncio

import pytest

from jobmill.adapters.sql import open_sql_store
from jobmill.application.ports.job_repository import NewJob

from tests.builders import a_job


async def test_a_commit_of_another_is_noticed(sqlite_url: str) -> None:
    async with open_sql_store(sqlite_url) as mine, open_sql_store(sqlite_url) as theirs:
        waiting = asyncio.create_task(mine.foreign_commit())
        await theirs.jobs.add([[NewJob(job=a_job())]])

        await waiting


async def test_a_commit_before_the_wait_is_noticed(sqlite_url: str) -> None:
    async with open_sql_store(sqlite_url) as mine, open_sql_store(sqlite_url) as theirs:
        await theirs.jobs.add([[NewJob(job=a_job())]])

        await mine.foreign_commit()


async def test_each_commit_is_noticed_once_and_ones_own_never(sqlite_url: str) -> None:
    async with open_sql_store(sqlite_url) as mine, open_sql_store(sqlite_url) as theirs:
        await theirs.jobs.add([[NewJob(job=a_job())]])
        await mine.foreign_commit()
        await mine.jobs.add([[NewJob(job=a_job())]])
        await mine.outbox.forget([1])

        # Long enough for several looks: the loop's own clock decides, and nothing is measured.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.7):
                await mine.foreign_commit()
