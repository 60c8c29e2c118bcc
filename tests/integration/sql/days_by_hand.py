"""The partitions of jobs, made and looked at by an operator's own hand."""

from datetime import datetime
from itertools import pairwise
from typing import Final

import asyncpg

from jobmill.adapters.sql import days
from jobmill.adapters.sql.id_times import lowest_id
from jobmill.domain.job import Job

from tests.builders import DAY
from tests.contract.store_world import StoreWorld

BOUNDS: Final = (
    "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid"
    " WHERE inhparent = 'jobs'::regclass ORDER BY relname"
)


def midnight(world: StoreWorld) -> datetime:
    return world.now.replace(hour=0, minute=0, second=0, microsecond=0)


async def names(hand: asyncpg.Connection) -> list[str]:
    return [row["relname"] for row in await hand.fetch(BOUNDS)]


def name_of(day: datetime) -> str:
    return f"jobs_{day:%Y%m%d}"


async def attached(hand: asyncpg.Connection, name: str, start: str, end: str) -> None:
    await hand.execute(f"ALTER TABLE jobs ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})")


async def place_of(hand: asyncpg.Connection, job: Job) -> str:
    """The partition that a job is in."""
    found: str = await hand.fetchval("SELECT tableoid::regclass::text FROM jobs WHERE id = $1", job.id)
    return found


async def began_long_ago(world: StoreWorld, hand: asyncpg.Connection, *, days_ago: int) -> None:
    """Let the partitions be those of a database that was migrated some days ago and not turned since."""
    for name in await names(hand):
        await hand.execute(f"ALTER TABLE jobs DETACH PARTITION {name}")
    for row in await hand.fetch("SELECT relname FROM pg_class WHERE relname ~ '^jobs_2' AND relkind = 'r'"):
        await hand.execute(f"DROP TABLE {row['relname']}")
    starts = [midnight(world) + day * DAY for day in range(-days_ago, days.AHEAD + 2)]
    first = lowest_id(starts[0])
    await hand.execute(
        f"ALTER TABLE jobs ATTACH PARTITION jobs_old FOR VALUES FROM (MINVALUE) TO ('{first}')"
    )
    for start, end in pairwise(starts):
        await hand.execute(
            f"CREATE TABLE {name_of(start)} PARTITION OF jobs"
            f" FOR VALUES FROM ('{lowest_id(start)}') TO ('{lowest_id(end)}')"
        )
    last = lowest_id(starts[-1])
    await hand.execute(
        f"ALTER TABLE jobs ATTACH PARTITION jobs_later FOR VALUES FROM ('{last}') TO (MAXVALUE)"
    )
