"""The way to the database: PostgreSQL by asyncpg, SQLite by aiosqlite."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

DRIVERS = {"postgresql://": "postgresql+asyncpg://", "sqlite://": "sqlite+aiosqlite://"}
#: A statement that waits for longer is given up; the cache counts on it (``cache.MARKED_S``).
LIMITS = {"statement_timeout": "5000", "lock_timeout": "3000"}


def open_engine(url: str) -> AsyncEngine:
    """Return an engine for the URL that Jobmill is given too."""
    for scheme, driver in DRIVERS.items():
        url = url.replace(scheme, driver, 1) if url.startswith(scheme) else url
    if url.startswith("postgresql"):
        return create_async_engine(url, connect_args={"server_settings": LIMITS})
    # SQLite has one writer: those of this process stand in line here, not at the file's lock.
    engine = create_async_engine(url, pool_size=1, max_overflow=0, connect_args={"timeout": 15})
    event.listen(engine.sync_engine, "connect", _keep_references)
    return engine


def _keep_references(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's connection
    """SQLite looks at foreign keys only when it is asked to."""
    connection.execute("PRAGMA foreign_keys = ON")
