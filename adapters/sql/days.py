"""The days of jobs on PostgreSQL: a partition each, made before it is needed, and let go of when it is past.

Partitions cover all ids from the lowest to the highest without a gap, so that no job is ever refused for want
of one: ``jobs_old`` has all up to some day, then comes one for each day, and ``jobs_later`` has what lies
beyond, which is nothing as a rule. A default partition would do the same, but would cost the plans that walk
along the partitions in the order of their ids.

The oldest day goes when it is past: what has to stay of it moves to ``jobs_old``, whose range grows by that
day, and the day's table is dropped. So there are about ten partitions, and each statement opens them all.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import frozen
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.farewell import Farewell
from jobmill.adapters.sql.id_times import lowest_id, made_at
from jobmill.adapters.sql.leftovers import Leftovers
from jobmill.adapters.sql.partitions import (
    GONE,
    LATER,
    OLD,
    Partition,
    a_day,
    attach,
    detach,
    locked_partitions,
    make,
    move,
    partitions,
)
from jobmill.domain.states import JobState

#: Days that there are tables for after today; a leader may be away for so long.
AHEAD: Final = 3
DAY: Final = timedelta(days=1)
#: So many jobs may have to stay of a day that goes. They move while nobody gets at the table.
STAY_MAX: Final = 10_000

_IS_BEFORE: Final = text(f"SELECT EXISTS (SELECT FROM {LATER} WHERE id < :end)")  # noqa: S608 - our own words
#: By it the database knows without a look at the rows that they lie within the range that has grown.
_PROMISE: Final = "jobs_old_range"


@frozen(kw_only=True)
class Days:
    """The partitions of one database. Safe with two at once: each step looks again under its lock."""

    _database: Database

    async def turn(self, keep: Mapping[JobState, timedelta]) -> bool:
        """See ``RetentionSteps``."""
        now, found = await self._database.look(_seen)
        if not found:
            return False  # an operator has taken the partitions off
        farewell = Farewell(now=now, keep=keep)
        return (
            await self._make_one(now, found)
            or await self._finish(farewell)
            or await Leftovers(database=self._database).step()
            or await self._part_with_one(now, found, farewell)
        )

    async def _make_one(self, now: datetime, found: Sequence[Partition]) -> bool:
        """Cut a day off the last partition, unless there are enough."""
        last = found[-1]
        if last.name != LATER or last.start is None or made_at(last.start) > _midnight(now) + AHEAD * DAY:
            return False
        # After a long absence one day reaches to tomorrow: what came meanwhile stays where it is.
        end = lowest_id(max(made_at(last.start) + DAY, _midnight(now) + DAY))
        day, rest = a_day(last.start, end), Partition(name=LATER, start=end, end=None)

        async def work(connection: AsyncConnection) -> None:
            if last not in await locked_partitions(connection):
                return
            await detach(connection, last)
            if (await connection.execute(_IS_BEFORE, {"end": end})).scalar():
                await connection.execute(text(f"ALTER TABLE {LATER} RENAME TO {day.name}"))
                await make(connection, rest)
                await move(connection, day.name, LATER, "id >= :end", {"end": end})
                await attach(connection, day)
            else:
                await make(connection, day)
                await attach(connection, rest)

        await self._database.unit(work)
        return True

    async def _part_with_one(self, now: datetime, found: Sequence[Partition], farewell: Farewell) -> bool:
        """Take the oldest day off if all of it is past but for a few jobs, which stay in ``jobs_old``.

        Who stays is found while everybody works on. Under the lock only that is looked at which may have
        changed since: a job that succeeded or was discarded stays what it is.
        """
        old, day = found[0], found[1] if len(found) > 1 else None
        if day is None or day.end is None or old.name != OLD or old.end != day.start:
            return False
        if not farewell.keep or made_at(day.end) + min(farewell.keep.values()) > now:
            return False
        stay = await self._database.look(lambda connection: farewell.staying(connection, day, STAY_MAX + 1))
        if len(stay) > STAY_MAX:
            return False
        grown = Partition(name=OLD, start=None, end=day.end)
        await self._promise(grown)

        async def work(connection: AsyncConnection) -> None:
            seen = await locked_partitions(connection)
            if old not in seen or day not in seen:
                return
            await detach(connection, old)
            await detach(connection, day)
            await connection.execute(text(f"ALTER TABLE {day.name} RENAME TO {GONE}"))
            await farewell.move_back(connection, stay, OLD)
            await attach(connection, grown)

        await self._database.unit(work)
        return True

    async def _promise(self, grown: Partition) -> None:
        """Let the oldest partition say that its ids lie below the new end, and prove it, beside all work.

        What it says stays until the next day goes: it is then no more than the range of the partition.
        """

        async def say(connection: AsyncConnection) -> None:
            await connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
            await connection.execute(text(f"ALTER TABLE {OLD} DROP CONSTRAINT IF EXISTS {_PROMISE}"))
            await connection.execute(
                text(f"ALTER TABLE {OLD} ADD CONSTRAINT {_PROMISE} CHECK (id < '{grown.end}') NOT VALID")
            )

        async def prove(connection: AsyncConnection) -> None:
            await connection.execute(text(f"ALTER TABLE {OLD} VALIDATE CONSTRAINT {_PROMISE}"))

        await self._database.unit(say)
        await self._database.unit(prove)

    async def _finish(self, farewell: Farewell) -> bool:
        """Drop the day that was taken off; False if there is none."""
        if not await self._database.look(farewell.has_begun):
            return False
        await self._database.unit(farewell.end)
        return True


async def _seen(connection: AsyncConnection) -> tuple[datetime, Sequence[Partition]]:
    now = (await connection.execute(text("SELECT statement_timestamp()"))).scalar_one()
    return now, await partitions(connection)


def _midnight(now: datetime) -> datetime:
    """Return the beginning of the day in UTC."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
