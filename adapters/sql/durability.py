"""Whether a commit outlives the power: what the database says of itself."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.database import Database

_PRAGMA_FULL: Final = 2


async def weakness_of(database: Database) -> str | None:
    """Say what lets commits be lost, with the mend; None if nothing does."""

    async def work(connection: AsyncConnection) -> str | None:
        if connection.dialect.name == "postgresql":
            return await _of_postgres(connection)
        return await _of_sqlite(connection)

    return await database.unit(work)


async def _of_postgres(connection: AsyncConnection) -> str | None:
    for name in ("synchronous_commit", "fsync"):
        if (await connection.execute(text(f"SHOW {name}"))).scalar_one() == "off":
            whose = "for this database and its user" if name == "synchronous_commit" else "in postgresql.conf"
            return f"{name} is off, so accepted jobs can be lost with the power; set it to on {whose}"
    return None


async def _of_sqlite(connection: AsyncConnection) -> str | None:
    mode = (await connection.execute(text("PRAGMA journal_mode"))).scalar_one()
    if mode != "wal":
        return f"journal_mode is {mode}, and only WAL lets others read; put the file where WAL works"
    if (await connection.execute(text("PRAGMA synchronous"))).scalar_one() < _PRAGMA_FULL:
        return "synchronous is below FULL, so accepted jobs can be lost with the power; leave it as it was"
    return None
