"""The way to the database for whoever only reads: Jobmill's own setting names it."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

EMBEDDED = "sqlite:///.jobmill/jobmill.db"
DRIVERS = {"postgresql://": "postgresql+asyncpg://", "sqlite://": "sqlite+aiosqlite://"}


@asynccontextmanager
async def connection(url: str | None = None) -> AsyncGenerator[AsyncConnection]:
    """A connection in a transaction, to the database of the URL, or of the environment."""
    url = url or os.environ.get("JOBMILL_DATABASE_URL", EMBEDDED)
    for scheme, driver in DRIVERS.items():
        url = url.replace(scheme, driver, 1) if url.startswith(scheme) else url
    engine = create_async_engine(url)
    try:
        async with engine.begin() as opened:
            yield opened
    finally:
        await engine.dispose()
