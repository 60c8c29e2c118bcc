"""Finished jobs in memory whose end others wait for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.ended_jobs import Ended, EndedJobs
from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL
from jobmill.domain.ties import Tally


@frozen(kw_only=True)
class MemoryEndedJobs(EndedJobs):
    """What is watched in one in-memory database."""

    database: Database

    async def ended(self, *, limit: int) -> Sequence[Ended]:
        """Look at those that are watched."""

        def statement(tables: Tables, _now: datetime) -> list[Ended]:
            finished = [each for each in sorted(tables.watched) if tables.jobs[each].state in TERMINAL]
            return [Ended(job=tables.jobs[each], watch=tables.watched[each]) for each in finished[:limit]]

        return await self.database.run("ended_jobs.ended", statement)

    async def held_after(self, job_ids: Sequence[UUID], *, limit: int) -> Sequence[Job]:
        """Look at all."""

        def statement(tables: Tables, _now: datetime) -> list[Job]:
            held = [job for job in tables.jobs.values() if job.is_held and job.follows in job_ids]
            return sorted(held, key=lambda job: job.id)[:limit]

        return await self.database.run("ended_jobs.held_after", statement)

    async def tallies(self, callbacks: Sequence[UUID]) -> Mapping[UUID, tuple[Job, Tally]]:
        """Count at one moment."""

        def statement(tables: Tables, _now: datetime) -> dict[UUID, tuple[Job, Tally]]:
            found = [tables.jobs[each] for each in callbacks if each in tables.jobs]
            return {job.id: (job, _tally(tables, job)) for job in found if job.batch_size is not None}

        return await self.database.run("ended_jobs.tallies", statement)

    async def forget(self, ended: Sequence[Ended]) -> None:
        """Compare the stamps."""

        def statement(tables: Tables, _now: datetime) -> None:
            for each in ended:
                if tables.watched.get(each.job.id) == each.watch:
                    del tables.watched[each.job.id]

        await self.database.run("ended_jobs.forget", statement)


def _tally(tables: Tables, callback: Job) -> Tally:
    counts = Counter(job.state for job in tables.jobs.values() if job.batch == callback.id)
    assert callback.batch_size is not None
    return Tally(size=callback.batch_size, counts=counts)
