"""Letting go in memory."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.retention import RetentionSteps
from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL, JobState


@frozen(kw_only=True)
class MemoryRetention(RetentionSteps):
    """What one in-memory database no longer keeps."""

    database: Database

    async def delete_jobs(self, keep: Mapping[JobState, timedelta], *, limit: int) -> int:
        """Delete the oldest that are past, with all that hangs on them."""

        def statement(tables: Tables, now: datetime) -> int:
            held = {row.job_id for row in tables.keys.values() if row.held_until > now}
            past = [
                job for job in tables.jobs.values() if job.id not in held and _is_past(job, keep, now=now)
            ]
            gone = {job.id for job in sorted(past, key=lambda job: job.id)[:limit]}
            for job_id in gone:
                del tables.jobs[job_id]
                tables.history.pop(job_id, None)
                tables.progress.pop(job_id, None)
                tables.watched.pop(job_id, None)
            for name in [name for name, row in tables.keys.items() if row.job_id in gone]:
                del tables.keys[name]
            return len(gone)

        return await self.database.run("retention.delete_jobs", statement)

    async def delete_foreign(self, keep: timedelta, *, limit: int) -> int:
        """Delete the oldest."""

        def statement(tables: Tables, now: datetime) -> int:
            old = sorted(each.id for each in tables.quarantine.values() if each.received_at < now - keep)
            for message_id in old[:limit]:
                del tables.quarantine[message_id]
            return len(old[:limit])

        return await self.database.run("retention.delete_foreign", statement)

    async def turn(self, keep: Mapping[JobState, timedelta]) -> bool:
        """Nothing is kept by days."""
        return False


def _is_past(job: Job, keep: Mapping[JobState, timedelta], *, now: datetime) -> bool:
    return (
        job.state in TERMINAL
        and job.state in keep
        and job.finished_at is not None
        and job.finished_at < now - keep[job.state]
    )
