"""Presence on PostgreSQL: whose locks count, and what ends them."""

import asyncio

import asyncpg
import pytest

from jobmill.adapters.sql import SqlStore, open_sql_store
from jobmill.adapters.sql.presence import CLASS, PostgresPresenceSession
from jobmill.application.errors import PresenceLost, Unavailable
from jobmill.application.ports.presence import PresenceSession
from jobmill.domain.presence import PresencePolicy

from tests.integration.sql.backends import Backends
from tests.servers.databases import Databases
from tests.servers.private_postgres import PrivatePostgres

KEY = 0x0A0B0C0D


async def opened(store: SqlStore) -> PostgresPresenceSession:
    assert store.presence is not None
    session: PresenceSession = await store.presence.open()
    assert isinstance(session, PostgresPresenceSession)
    return session


async def test_the_locks_of_other_programs_are_not_ours(postgres: SqlStore, backends: Backends) -> None:
    session = await opened(postgres)

    await backends.connection.execute("SELECT pg_advisory_lock($1::bigint)", CLASS << 32 | KEY)
    await backends.connection.execute("SELECT pg_advisory_lock(1, $1)", KEY)

    assert await session.look() == frozenset()
    assert await session.hold(KEY)
    await session.close()


async def test_the_locks_of_another_database_are_not_ours(postgres: SqlStore, databases: Databases) -> None:
    session = await opened(postgres)

    async with databases.fresh() as url:
        elsewhere = await asyncpg.connect(url)
        await elsewhere.execute("SELECT pg_advisory_lock($1, $2)", CLASS, KEY)
        assert await session.look() == frozenset()
        await elsewhere.close()

    await session.close()


async def test_a_lock_that_stayed_with_another_connection_is_lost(postgres: SqlStore) -> None:
    """As behind a proxy that gives each transaction whatever connection is free."""
    session, other = await opened(postgres), await opened(postgres)
    await session.hold(KEY)

    session._driver, other._driver = other._driver, session._driver

    with pytest.raises(PresenceLost, match="pools transactions"):
        await session.look()
    session._driver, other._driver = other._driver, session._driver
    await session.close()
    await other.close()


async def test_a_session_whose_backend_was_ended_does_not_connect_anew(
    postgres: SqlStore, backends: Backends
) -> None:
    session = await opened(postgres)
    await session.hold(KEY)

    await backends.end_all()

    for _ in range(2):
        with pytest.raises(Unavailable):
            await session.look()
    await session.close()
    again = await opened(postgres)
    assert await again.hold(KEY)
    await again.close()


async def test_closing_does_not_wait_for_a_server_that_hangs(own_postgres: PrivatePostgres) -> None:
    """Or there would be no time left to take the lock again."""
    async with open_sql_store(own_postgres.url) as store:
        session = await opened(store)
        await session.hold(KEY)
        own_postgres.freeze()
        try:
            async with asyncio.timeout(PresencePolicy().margin.total_seconds() * 4):
                await session.close()
        finally:
            own_postgres.thaw()
