"""Reading jobs in memory: stories, pages, counts."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.job_finder import JobFinder, JobQuery, JobStory
from jobmill.domain.job import Job
from jobmill.domain.states import DEAD, TERMINAL, JobState

COUNTED: Final = (frozenset(JobState) - TERMINAL) | DEAD


@frozen(kw_only=True)
class MemoryFinder(JobFinder):
    """The read side of one in-memory database; it lags behind nothing."""

    database: Database

    async def story(self, job_id: UUID) -> JobStory | None:
        """Look up one job and what is kept of its past."""

        def statement(tables: Tables, _now: datetime) -> JobStory | None:
            job = tables.jobs.get(job_id)
            if job is None:
                return None
            return JobStory(
                job=job,
                history=tuple(tables.history.get(job_id, ())),
                progress=tables.progress.get(job_id),
            )

        return await self.database.run("finder.story", statement)

    async def finished(self, job_ids: Sequence[UUID]) -> Set[UUID]:
        """Look at each."""

        def statement(tables: Tables, _now: datetime) -> set[UUID]:
            open_ones = (job for each in job_ids if (job := tables.jobs.get(each)) is not None)
            return set(job_ids) - {job.id for job in open_ones if job.state not in TERMINAL}

        return await self.database.run("finder.finished", statement)

    async def page(self, query: JobQuery) -> Sequence[Job]:
        """Filter, sort and cut."""

        def statement(tables: Tables, _now: datetime) -> list[Job]:
            found = [job for job in tables.jobs.values() if _matches(query, job)]
            return sorted(found, key=lambda job: job.id, reverse=query.newest_first)[: query.limit]

        return await self.database.run("finder.page", statement)

    async def counts(self) -> Mapping[tuple[str, JobState], int]:
        """Count row by row."""

        def statement(tables: Tables, _now: datetime) -> Mapping[tuple[str, JobState], int]:
            return Counter((job.queue, job.state) for job in tables.jobs.values() if job.state in COUNTED)

        return await self.database.run("finder.counts", statement)

    async def longest_waits(self, queues: Sequence[str]) -> Mapping[str, timedelta]:
        """Look at each queued job."""

        def statement(tables: Tables, now: datetime) -> Mapping[str, timedelta]:
            waits: dict[str, timedelta] = {}
            for job in tables.jobs.values():
                if job.queue in queues and job.state is JobState.QUEUED and job.announced_at is not None:
                    wait = now - job.announced_at
                    waits[job.queue] = max(wait, waits.get(job.queue, wait))
            return waits

        return await self.database.run("finder.longest_waits", statement)


def _matches(query: JobQuery, job: Job) -> bool:
    same = (
        (query.type, job.type),
        (query.queue, job.queue),
        (query.tenant, job.tenant),
        (query.correlation_id, job.correlation_id),
    )
    return (
        all(wanted is None or wanted == value for wanted, value in same)
        and (not query.states or job.state in query.states)
        and (query.tag is None or query.tag in job.tags)
        and (query.created_from is None or job.created_at >= query.created_from)
        and (query.created_before is None or job.created_at < query.created_before)
        and (query.after is None or _comes_after(query.after, job, newest_first=query.newest_first))
    )


def _comes_after(cursor: UUID, job: Job, *, newest_first: bool) -> bool:
    return job.id < cursor if newest_first else job.id > cursor
