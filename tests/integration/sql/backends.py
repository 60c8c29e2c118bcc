"""The other side of a PostgreSQL connection: rows locked by somebody else, backends seen and ended."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from attrs import frozen

from tests.servers.waiting import until

WITHIN_S = 10.0

OURS = "datname = current_database() AND application_name = 'jobmill'"


@frozen(kw_only=True)
class Backends:
    """A connection of the test's own."""

    connection: Any

    @asynccontextmanager
    async def doing(self, statement: str, *values: object) -> AsyncGenerator[None]:
        """Be in the middle of a transaction while the block lasts, and undo it then."""
        transaction = self.connection.transaction()
        await transaction.start()
        try:
            await self.connection.execute(statement, *values)
            yield
        finally:
            await transaction.rollback()

    @asynccontextmanager
    async def holding(self, *job_ids: UUID) -> AsyncGenerator[None]:
        """Keep the rows of these jobs locked while the block lasts."""
        async with self.doing("SELECT FROM jobs WHERE id = ANY($1) FOR UPDATE", list(job_ids)):
            yield

    async def wait(self, statements: int = 1) -> None:
        """Return when so many statements of the store wait for a lock."""

        async def so_many_wait() -> bool:
            return await self._count(f"{OURS} AND wait_event_type = 'Lock'") >= statements

        assert await until(so_many_wait, within_s=WITHIN_S), "too few statements wait"

    async def end_those_that_wait(self) -> None:
        """End the backends that wait for a lock, as an administrator or a crash would."""
        await self._end(f"{OURS} AND wait_event_type = 'Lock'")

    async def end_all(self) -> None:
        """End all backends of the store, and return when they are gone."""
        await self._end(OURS)
        assert await until(self._none_is_left, within_s=WITHIN_S), "a backend does not end"

    async def _end(self, which: str) -> None:
        await self.connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {which}")

    async def _none_is_left(self) -> bool:
        return not await self._count(OURS)

    async def _count(self, which: str) -> int:
        # A transaction sees one snapshot of the activity unless told to look again.
        await self.connection.execute("SELECT pg_stat_clear_snapshot()")
        found: int = await self.connection.fetchval(f"SELECT count(*) FROM pg_stat_activity WHERE {which}")
        return found
