"""A database that may lose commits with the power says so, with the mend."""

import asyncpg
import pytest
from sqlalchemy import text

from jobmill.adapters.sql import SqlStore, open_sql_store

pytestmark = pytest.mark.postgres


async def test_commits_that_are_not_waited_for_are_told(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        name = await connection.fetchval("select current_database()")
        await connection.execute(f'alter database "{name}" set synchronous_commit to off')
    finally:
        await connection.close()

    async with open_sql_store(postgres_url) as store:
        weakness = await store.weakness()

    assert weakness is not None
    assert weakness.startswith("synchronous_commit is off")


async def test_forgetting_notices_alone_does_not_wait_for_the_disk(postgres: SqlStore) -> None:
    database = postgres._database
    setting = database.dialect.hot(text("SHOW synchronous_commit"))
    assert [tuple(row) for row in await database.hot(setting, {})] == [("on",)]
    assert [tuple(row) for row in await database.hot(setting, {}, durably=False)] == [("off",)]
