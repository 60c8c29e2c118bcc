"""What the run does to Jobmill's tables past Jobmill: emptying them, counting, and making them old."""

import asyncio
from typing import Final

from benchmarks import postgres

#: Those that hold jobs and what belongs to them; the others say who this installation is.
_OF_JOBS: Final = (
    "jobs",
    "outbox",
    "job_history",
    "job_tags",
    "job_keys",
    "job_progress",
    "quarantine",
    "barriers",
)
_OPEN: Final = "select count(*) from jobs where state <> 'succeeded'"
_OUTBOX: Final = "select count(*) from outbox"
#: How far back old jobs go, within the day, since tables may be cut by days.
_SINCE: Final = (
    "greatest(now() - interval '3 hours', date_trunc('day', now() at time zone 'utc') at time zone 'utc')"
)
_STEP: Final = 250_000
_CONNECTIONS: Final = 2
_ONE_OLD: Final = "(select * from jobs where state = 'succeeded' limit 1) old"


async def empty(url: str) -> None:
    """Leave no job."""
    there = [each for each in await postgres.tables_of(url) if each in _OF_JOBS]
    await postgres.run(url, f"truncate {', '.join(there)}")


async def stored(url: str) -> int:
    """Return how many jobs there are, whatever their state."""
    return int(await postgres.ask(url, "select count(*) from jobs"))


async def unfinished(url: str) -> int:
    """Return how many jobs have not succeeded."""
    return int(await postgres.ask(url, _OPEN))


async def is_published(url: str) -> bool:
    """Whether nothing waits any more to be handed to the broker."""
    return int(await postgres.ask(url, _OUTBOX)) == 0


async def knows_its_broker(url: str) -> bool:
    """Return whether the broker was marked as the one that has all messages."""
    return bool(await postgres.ask(url, "select true from broker_epoch where not refilling"))


async def grow(url: str, rows: int) -> None:
    """Add copies of the jobs that have succeeded, until there are so many; one at least must be there.

    Each has an id of its own, ordered by time as Jobmill's are, and of a time before now.
    """
    async with postgres.connected(url) as connection:
        names = await connection.fetch(
            "select column_name from information_schema.columns"
            " where table_schema = 'public' and table_name = 'jobs' and column_name <> 'id'"
        )
    columns = ", ".join(f'"{row["column_name"]}"' for row in names)
    steps = iter(range(0, rows, _STEP))

    async def copy() -> None:
        async with postgres.connected(url) as connection:
            for done in steps:
                count = min(_STEP, rows - done)
                await connection.execute(
                    f"insert into jobs (id, {columns}) select {_id_at(done, rows)}, {columns}"  # noqa: S608 - ours
                    f" from generate_series(1, {count}) n, {_ONE_OLD}"
                )

    await asyncio.gather(*[copy() for _ in range(_CONNECTIONS)])
    await postgres.run(url, "vacuum analyze jobs")


def _id_at(done: int, rows: int) -> str:
    """Return the SQL of a UUIDv7 for row ``n`` of a step: times rise evenly up to now, the rest is chance."""
    at = f"{_SINCE} + (now() - {_SINCE}) * ((n + {done})::float8 / {rows})"
    milliseconds = f"lpad(to_hex((extract(epoch from {at}) * 1000)::bigint), 12, '0')"
    chance = "md5(random()::text || n)"
    return f"({milliseconds} || '7' || substr({chance}, 1, 3) || '8' || substr({chance}, 4, 15))::uuid"
