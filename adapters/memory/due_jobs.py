"""Jobs in memory for which a time has come."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.due_jobs import DueJobs
from jobmill.domain.job import Job
from jobmill.domain.states import UNSTARTED, WAITING


@frozen(kw_only=True)
class MemoryDueJobs(DueJobs):
    """What has become due in one in-memory database."""

    database: Database

    async def due(self, *, limit: int) -> Sequence[Job]:
        """Look at ``wake_at``, which only scheduled and retrying jobs have."""
        return await self.database.run(
            "due_jobs.due", lambda tables, now: _earliest(tables, _wake_at, now)[:limit]
        )

    async def expired(self, *, limit: int) -> Sequence[Job]:
        """Look at ``expires_at``."""
        return await self.database.run(
            "due_jobs.expired", lambda tables, now: _earliest(tables, _expires_at, now)[:limit]
        )

    async def to_cancel(self, *, limit: int) -> Sequence[Job]:
        """Look for the flag on waiting jobs."""

        def statement(tables: Tables, _now: datetime) -> list[Job]:
            return [job for job in tables.jobs.values() if _is_to_cancel(job)][:limit]

        return await self.database.run("due_jobs.to_cancel", statement)


def is_due(job: Job, now: datetime) -> bool:
    """Say whether the scheduler has something to do with a job."""
    times = _wake_at(job), _expires_at(job)
    return any(time is not None and time <= now for time in times) or _is_to_cancel(job)


def next_due(tables: Tables, now: datetime) -> timedelta | None:
    """Return how long it is until the earliest ``wake_at`` ahead."""
    ahead = (wake_at for job in tables.jobs.values() if (wake_at := _wake_at(job)) is not None)
    return min((wake_at - now for wake_at in ahead if wake_at > now), default=None)


def _earliest(tables: Tables, time_of: Callable[[Job], datetime | None], now: datetime) -> list[Job]:
    timed = ((time_of(job), job) for job in tables.jobs.values())
    come = [(time, job) for time, job in timed if time is not None and time <= now]
    return [job for _, job in sorted(come, key=lambda each: each[0])]


def _wake_at(job: Job) -> datetime | None:
    return job.wake_at if job.state in UNSTARTED else None


def _expires_at(job: Job) -> datetime | None:
    return job.expires_at if job.state in UNSTARTED else None


def _is_to_cancel(job: Job) -> bool:
    return job.stop_asked and job.state in WAITING
