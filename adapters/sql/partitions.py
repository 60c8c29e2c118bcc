"""The statements on the partitions of ``jobs``, for whoever holds the lock on the table."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.id_times import made_at

OLD: Final = "jobs_old"
LATER: Final = "jobs_later"
#: A day that was taken off, to be dropped: no partition any more.
GONE: Final = "jobs_gone"
#: Everybody who comes later waits behind a lock that is waited for, so it is not for long.
_LOCK: Final = ("SET LOCAL lock_timeout = '100ms'", "LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")

_PARTITIONS: Final = text(
    "SELECT relname AS name, pg_get_expr(relpartbound, oid) AS bounds"
    " FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = CAST('jobs' AS regclass)"
)
_BOUNDS: Final = re.compile(r"FROM \((?:MINVALUE|'([0-9a-f-]+)')\) TO \((?:MAXVALUE|'([0-9a-f-]+)')\)")
_NAME: Final = re.compile(r"jobs_(?:old|later|\d{8})", re.ASCII)
_STORAGE: Final = "WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)"


@frozen(kw_only=True)
class Partition:
    """A stretch of ids and its table; without a start or an end it is the first or the last one."""

    name: str
    start: UUID | None
    end: UUID | None

    @property
    def bounds(self) -> str:
        """The stretch as the database reads it."""
        start = "MINVALUE" if self.start is None else f"'{self.start}'"
        end = "MAXVALUE" if self.end is None else f"'{self.end}'"
        return f"FOR VALUES FROM ({start}) TO ({end})"


def a_day(start: UUID, end: UUID) -> Partition:
    """Name the partition after the day on which its first ids are made."""
    return Partition(name=f"jobs_{_day(made_at(start))}", start=start, end=end)


def _day(moment: datetime) -> str:
    return f"{moment:%Y%m%d}"


async def partitions(connection: AsyncConnection) -> Sequence[Partition]:
    """Return those with names of ours, in the order of their ids."""
    found = []
    for name, bounds in (await connection.execute(_PARTITIONS)).all():
        stretch = _BOUNDS.search(bounds)
        if stretch is not None and _NAME.fullmatch(name):
            start, end = (UUID(each) if each else None for each in stretch.groups())
            found.append(Partition(name=name, start=start, end=end))
    return sorted(found, key=lambda each: each.start.int if each.start else -1)


async def locked_partitions(connection: AsyncConnection) -> Sequence[Partition]:
    """Lock the table and all its partitions until the end of the transaction, and look again."""
    for statement in _LOCK:
        await connection.execute(text(statement))
    return await partitions(connection)


async def make(connection: AsyncConnection, partition: Partition) -> None:
    """Make an empty one with all its indexes."""
    await connection.execute(
        text(f"CREATE TABLE {partition.name} PARTITION OF jobs {partition.bounds} {_STORAGE}")
    )


async def detach(connection: AsyncConnection, partition: Partition) -> None:
    """Make it a table of its own."""
    await connection.execute(text(f"ALTER TABLE jobs DETACH PARTITION {partition.name}"))


async def attach(connection: AsyncConnection, partition: Partition) -> None:
    """Make a table a partition; its rows are read unless a constraint of it says what they are."""
    await connection.execute(text(f"ALTER TABLE jobs ATTACH PARTITION {partition.name} {partition.bounds}"))


async def move(
    connection: AsyncConnection, source: str, target: str, which: str, values: Mapping[str, Any]
) -> None:
    """Move rows from one table to another with the same columns.

    Args:
        which: the condition on the rows, in words of our own.
        values: what it names.
    """
    moved = f"WITH moved AS (DELETE FROM {source} WHERE {which} RETURNING *)"  # noqa: S608 - our own words
    statement = f"{moved} INSERT INTO {target} SELECT * FROM moved"  # noqa: S608 - our own words
    await connection.execute(text(statement), values)
