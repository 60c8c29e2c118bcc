"""A shop that submits jobs: its types, its own table, and its transactions through any driver."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Engine, Result, create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from jobmill import JobHandlers, PermanentFailure

TABLES = ("jobs", "outbox", "job_tags", "job_keys", "orders")
#: Every driver by which a caller may come, for each kind of database.
DRIVERS = {
    "sqlite": ("sqlite+pysqlite", "sqlite+aiosqlite"),
    "postgres": ("postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg_async"),
}

Transaction = Session | Connection | AsyncSession | AsyncConnection

handlers = JobHandlers()


@frozen
class Charge:
    order: int
    card: str = "tok_1"


@handlers.register("order.charge", queue="payments")
async def charge(order: Charge) -> dict[str, int]:
    if order.card == "declined":
        raise PermanentFailure("card declined")
    return {"charged": order.order}


@frozen(kw_only=True)
class Shop:
    """An application with a connection pool of its own to the database in which Jobmill is."""

    engine: Engine | AsyncEngine

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Any]:
        """A session in the middle of its transaction, rolled back unless it is committed."""
        if isinstance(self.engine, AsyncEngine):
            async with AsyncSession(self.engine) as session:
                yield session
        else:
            with Session(self.engine) as session:
                yield session

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Any]:
        """The same without a session."""
        if isinstance(self.engine, AsyncEngine):
            async with self.engine.connect() as connection:
                yield connection
        else:
            with self.engine.connect() as connection:
                yield connection

    async def counts(self) -> dict[str, int]:
        """Rows by table, of those tables that have any."""
        found = {}
        async with self.connection() as connection:
            for table in TABLES:
                rows = await does(connection, f"SELECT count(*) FROM {table}")
                found[table] = int(rows.scalar_one())
        return {table: count for table, count in found.items() if count}


async def does(within: Transaction, statement: str) -> Result[Any]:
    """Execute a statement in the caller's transaction."""
    if isinstance(within, AsyncSession | AsyncConnection):
        return await within.execute(text(statement))
    return within.execute(text(statement))


async def commits(within: Transaction) -> None:
    if isinstance(within, AsyncSession | AsyncConnection):
        await within.commit()
    else:
        within.commit()


@asynccontextmanager
async def open_shop(url: str, driver: str, **options: Any) -> AsyncGenerator[Shop]:
    """Open the shop's own engine on a database, and make its table where it is missing."""
    address = make_url(url).set(drivername=driver)
    is_async = driver.endswith(("asyncpg", "aiosqlite", "_async"))
    engine: Any = create_async_engine(address, **options) if is_async else create_engine(address, **options)
    shop = Shop(engine=engine)
    try:
        async with shop.connection() as connection:
            await does(connection, "CREATE TABLE IF NOT EXISTS orders (id integer PRIMARY KEY)")
            if not options:
                await commits(connection)
        yield shop
    finally:
        if isinstance(engine, AsyncEngine):
            await engine.dispose()
        else:
            engine.dispose()
