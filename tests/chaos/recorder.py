"""Where a handler's effect goes: a table of the same server, written in groups, for ever tried again."""

import asyncio
import os
from datetime import datetime
from functools import cache
from uuid import UUID, uuid4

import asyncpg
from attrs import field, frozen

from jobmill import JobContext

#: Names the database; a process that runs no jobs needs none.
SETTING = "JOBMILL_CHAOS_EFFECTS_URL"

SCHEMA = """\
create schema chaos;
create table chaos.effects (
    id uuid primary key,
    job_id uuid not null,
    key text not null,
    attempt integer not null,
    pid integer not null,
    started_at timestamptz not null,
    ended_at timestamptz not null default clock_timestamp()
);
create table chaos.charges (job_id uuid not null, attempt integer not null);
"""

_INSERT = """\
insert into chaos.effects (id, job_id, key, attempt, pid, started_at)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::integer[], $6::timestamptz[])
on conflict (id) do nothing
"""
_AT_ONCE = 500
_ANSWER_WITHIN_S = 10.0
_PAUSE_S = 0.2
_TROUBLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

Row = tuple[UUID, UUID, str, int, int, datetime]


@frozen(kw_only=True)
class Recorder:
    """Writes effects. An insert whose fate is unknown is repeated; the row's id makes that harmless."""

    url: str
    _pending: list[tuple[Row, "asyncio.Future[None]"]] = field(factory=list, init=False)
    _wake: asyncio.Event = field(factory=asyncio.Event, init=False)
    _writers: set["asyncio.Task[None]"] = field(factory=set, init=False)

    async def effect(self, job: JobContext, *, started_at: datetime) -> None:
        """Return when the effect of this run is committed."""
        row = (uuid4(), job.job_id, job.idempotency_key, job.attempt, os.getpid(), started_at)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((row, done))
        self._wake.set()
        if not self._writers:
            writer = asyncio.create_task(self._write())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        await asyncio.shield(done)

    async def _write(self) -> None:
        connection: asyncpg.Connection[asyncpg.Record] | None = None
        while True:
            await self._wake.wait()
            group = self._pending[:_AT_ONCE]
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    connection = connection or await asyncpg.connect(self.url)
                    await connection.execute(_INSERT, *zip(*(row for row, _ in group), strict=True))
            except _TROUBLE:
                if connection is not None:
                    connection.terminate()
                connection = None
                await asyncio.sleep(_PAUSE_S)
                continue
            del self._pending[: len(group)]
            if not self._pending:
                self._wake.clear()
            for _, done in group:
                if not done.done():
                    done.set_result(None)


@cache
def recorder() -> Recorder:
    """The recorder of this process."""
    return Recorder(url=os.environ[SETTING])
