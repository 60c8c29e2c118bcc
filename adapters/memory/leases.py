"""Leases in memory: two columns of the job's row that no version covers."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.leases import Busy, LeaseAnswer, Leases, Lost, Renewed
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import Fence


@frozen(kw_only=True)
class MemoryLeases(Leases):
    """The leases of one in-memory database."""

    database: Database

    async def renew(self, fences: Sequence[Fence], *, ttl: timedelta) -> Sequence[LeaseAnswer]:
        """Set the end of each lease; a job named in ``Tables.locked`` is busy."""

        def statement(tables: Tables, now: datetime) -> list[LeaseAnswer]:
            return [_renew(tables, fence, until=now + ttl) for fence in fences]

        return await self.database.run("leases.renew", statement)

    async def ask_to_stop(self, job_ids: Sequence[UUID]) -> Sequence[bool]:
        """Set the flag of running jobs."""

        def statement(tables: Tables, _now: datetime) -> list[bool]:
            return [_ask_to_stop(tables, job_id) for job_id in job_ids]

        return await self.database.run("leases.ask_to_stop", statement)

    async def lapsed(self, *, limit: int) -> Sequence[Job]:
        """Look for running jobs whose lease ended."""

        def statement(tables: Tables, now: datetime) -> list[Job]:
            over = [
                (job.lease_until, job)
                for job in _running(tables)
                if job.lease_until is not None and job.lease_until < now
            ]
            return [job for _, job in sorted(over, key=lambda each: each[0])[:limit]]

        return await self.database.run("leases.lapsed", statement)

    async def workers(self) -> Sequence[str]:
        """Look for the holders of running jobs."""

        def statement(tables: Tables, _now: datetime) -> list[str]:
            return sorted({job.worker for job in _running(tables) if job.worker is not None})

        return await self.database.run("leases.workers", statement)

    async def held_by(self, workers: Sequence[str], *, limit: int) -> Sequence[Job]:
        """Look for what they run."""

        def statement(tables: Tables, _now: datetime) -> list[Job]:
            theirs = [job for job in _running(tables) if job.worker in workers]
            return sorted(theirs, key=lambda job: job.id)[:limit]

        return await self.database.run("leases.held_by", statement)


def _running(tables: Tables) -> Iterator[Job]:
    return (job for job in tables.jobs.values() if job.state is JobState.PROCESSING)


def _renew(tables: Tables, fence: Fence, *, until: datetime) -> LeaseAnswer:
    if fence.job_id in tables.locked:
        return Busy()
    job = tables.standing(fence)
    if job is None or job.state is not JobState.PROCESSING:
        return Lost()
    tables.jobs[job.id] = job.changed(lease_until=until)
    return Renewed(stop_asked=job.stop_asked)


def _ask_to_stop(tables: Tables, job_id: UUID) -> bool:
    job = tables.jobs.get(job_id)
    if job is None or job.state is not JobState.PROCESSING:
        return False
    tables.jobs[job_id] = job.ask_to_stop()
    return True
