"""Migrated databases of both kinds, and a look at what PostgreSQL is doing."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from jobmill.adapters.sql import SqlStore, migrate, open_sql_store

from tests.contract.store_world import StoreWorld
from tests.integration.sql.backends import Backends
from tests.servers.databases import Databases


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "jobmill.db"
    await migrate(f"sqlite:///{path}")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_template(databases: Databases) -> str:
    """A migrated database, to be copied while nobody is connected to it."""
    url = await databases.create()
    await migrate(url)
    return url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of one's own."""
    path = tmp_path / "jobmill.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest_asyncio.fixture
async def copied_url(databases: Databases, postgres_template: str) -> AsyncGenerator[str]:
    """A database that no test before has seen, nor a slate's own tables; a second to be made."""
    async with databases.fresh(template=postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database of either kind."""
    found: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "migrated_url")
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of either kind without any tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest_asyncio.fixture
async def store(url: str) -> AsyncGenerator[SqlStore]:
    """A store of either kind."""
    async with open_sql_store(url) as opened:
        yield opened


@pytest.fixture
def world(store: SqlStore) -> StoreWorld:
    """The same store, with the builder's hands."""
    return StoreWorld(store=store)


@pytest_asyncio.fixture
async def postgres(migrated_url: str) -> AsyncGenerator[SqlStore]:
    """A store on PostgreSQL."""
    async with open_sql_store(migrated_url) as opened:
        yield opened


@pytest.fixture
def postgres_world(postgres: SqlStore) -> StoreWorld:
    """The same store, with the builder's hands."""
    return StoreWorld(store=postgres)


@pytest_asyncio.fixture
async def backends(migrated_url: str) -> AsyncGenerator[Backends]:
    """A connection beside the store's own to the same database."""
    connection = await asyncpg.connect(migrated_url)
    try:
        yield Backends(connection=connection)
    finally:
        await connection.close()
