"""What a run asks of PostgreSQL for itself: databases of its own, their size, and what was written."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

#: How the names of all databases of benchmarks begin.
_RUNS: Final = "jobmill_bench_"


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Any]:
    """Hold one connection open."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def ask(url: str, question: str, *values: object) -> Any:
    """Return the first column of the first row."""
    async with connected(url) as connection:
        return await connection.fetchval(question, *values)


async def run(url: str, *statements: str) -> None:
    """Run statements one after the other, each in its own transaction."""
    async with connected(url) as connection:
        for statement in statements:
            await connection.execute(statement)


async def create(server_url: str, name: str) -> None:
    """Make an empty database."""
    await run(server_url, f'create database "{name}"')


async def drop(server_url: str, name: str) -> None:
    """Drop a database of a benchmark, whoever is still connected to it.

    Raises:
        ValueError: it is none.
    """
    if not name.startswith(_RUNS):
        raise ValueError(f"{name} is no database of a benchmark")
    await run(server_url, f'drop database if exists "{name}" with (force)')


async def tables_of(url: str) -> Sequence[str]:
    """Return the names of the tables in the schema ``public``."""
    async with connected(url) as connection:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    return [row["tablename"] for row in rows]


async def written_bytes(url: str) -> float:
    """Return how much the server has written to its log since it was made."""
    return float(await ask(url, "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))


async def size_bytes(url: str) -> int:
    """Return how large the database is on disk."""
    return int(await ask(url, "select pg_database_size(current_database())"))


async def settle(url: str) -> None:
    """Start the next measurement from a written disk, where we may; a busy disk is no contender's fault."""
    with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
        await run(url, "checkpoint")
