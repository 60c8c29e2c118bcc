"""What hung on jobs that went with their day: deleted in steps, as its tables have no days."""

from typing import Final

from attrs import frozen
from sqlalchemy import Row, Table, delete, exists, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.schema import gone_ids, job_history, job_keys, job_progress, job_tags, jobs

_TABLES: Final = (job_keys, job_tags, job_history, job_progress)
#: Jobs whose rows one step deletes.
_JOBS_MAX: Final = 1_000


@frozen(kw_only=True)
class Leftovers:
    """The keys, tags, history and progress of jobs that are no longer there."""

    _database: Database

    async def step(self) -> bool:
        """Delete some, of the oldest range; False without any range."""
        ranges = await self._database.read(select(gone_ids).order_by(gone_ids.c.from_id).limit(1))
        if not ranges:
            return False
        counts = [await self._delete(table, ranges[0]) for table in _TABLES]
        if not any(counts):
            await self._database.write(delete(gone_ids).where(gone_ids.c.from_id == ranges[0].from_id))
        return True

    async def _delete(self, table: Table, ids: Row[tuple[object, ...]]) -> int:
        """Delete the rows of some jobs of the range; those of a job that stayed are its own."""
        orphan = not_(exists(jobs.c.id).where(jobs.c.id == table.c.job_id))
        within = (table.c.job_id >= ids.from_id, table.c.job_id < ids.to_id)
        some = select(table.c.job_id).where(*within, orphan).order_by(table.c.job_id).limit(_JOBS_MAX)

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(delete(table).where(table.c.job_id.in_(some), orphan))).rowcount

        return await self._database.unit(work)
