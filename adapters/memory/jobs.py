"""Jobs in memory: stored whole, changed by compare-and-set."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from jobmill.adapters.memory import keys
from jobmill.adapters.memory.columns import written
from jobmill.adapters.memory.guards import may_save
from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.storable import check_job
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.job_repository import (
    AddAnswer,
    Conflicting,
    JobRepository,
    NewJob,
    Replayed,
    SaveAnswer,
    Saved,
    Stale,
    Stored,
    Withheld,
    WithoutPredecessor,
    is_bound,
)
from jobmill.domain.idempotency import Conflict, New, Replay
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState, Target
from jobmill.domain.transition import Transition

HISTORY_KEPT: Final = 25


@frozen(kw_only=True)
class MemoryJobs(JobRepository):
    """The jobs of one in-memory database."""

    database: Database

    async def add(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        """Store units one after another at one moment."""

        def statement(tables: Tables, now: datetime) -> list[list[AddAnswer]]:
            for unit in units:
                for new in unit:
                    check_job(new.job)
            return [_add_unit(tables, unit, now=now) for unit in units]

        return await self.database.run("jobs.add", statement)

    async def get(self, job_ids: Sequence[UUID]) -> Sequence[Job | None]:
        """Look the rows up."""
        return await self.database.run(
            "jobs.get", lambda tables, _now: [tables.jobs.get(each) for each in job_ids]
        )

    async def save(self, transitions: Sequence[Transition]) -> Sequence[SaveAnswer]:
        """Save what still may be saved."""

        def statement(tables: Tables, now: datetime) -> list[SaveAnswer]:
            for transition in transitions:
                check_job(transition.job)
            return [saved(tables, transition, now=now) for transition in transitions]

        return await self.database.run("jobs.save", statement)


def _add_unit(tables: Tables, unit: Sequence[NewJob], *, now: datetime) -> list[AddAnswer]:
    verdicts = [keys.verdict(tables, new, now=now) for new in unit]
    if any(isinstance(verdict, Conflict) for verdict in verdicts):
        return [
            Conflicting(key=verdict.key, job_id=verdict.job_id)
            if isinstance(verdict, Conflict)
            else Withheld()
            for verdict in verdicts
        ]
    if refused := _refusals(tables, unit, verdicts):
        return refused
    return [_add(tables, new, verdict, now=now) for new, verdict in zip(unit, verdicts, strict=True)]


def _refusals(
    tables: Tables, unit: Sequence[NewJob], verdicts: Sequence[New | Replay | Conflict]
) -> list[AddAnswer]:
    """Return the answers to a unit that cannot be stored for what its jobs have to do with others."""
    replays = [isinstance(verdict, Replay) for verdict in verdicts]
    if any(replays) and not all(replays) and is_bound(unit):
        return [
            Conflicting(key=new.keys[0].key, job_id=verdict.job_id)
            if isinstance(verdict, Replay)
            else Withheld()
            for new, verdict in zip(unit, verdicts, strict=True)
        ]
    there = tables.jobs.keys() | {new.job.id for new in unit}
    answers: list[AddAnswer] = [
        Withheld()
        if is_replay or new.job.follows is None or new.job.follows in there
        else WithoutPredecessor(job_id=new.job.follows)
        for new, is_replay in zip(unit, replays, strict=True)
    ]
    return answers if any(isinstance(each, WithoutPredecessor) for each in answers) else []


def _add(tables: Tables, new: NewJob, verdict: New | Replay | Conflict, *, now: datetime) -> AddAnswer:
    if isinstance(verdict, Replay):
        return Replayed(job=tables.jobs[verdict.job_id])
    job = new.job
    if job.id not in tables.jobs:
        keys.take(tables, new, now=now)
        tables.jobs[job.id] = job
        if job.batch is not None:
            tables.watched.setdefault(job.id, job.stamp)
        if job.follows is not None:
            tables.watched[job.follows] = job.stamp
        if job.state is JobState.QUEUED:
            tables.announce(job.stamp, job, Target.QUEUE, now=now)
    return Stored(job=tables.jobs[job.id])


def saved(tables: Tables, transition: Transition, *, now: datetime) -> SaveAnswer:
    """Save one transition, if it still may be."""
    job_id = transition.job.id
    row = tables.jobs.get(job_id)
    if row is None:
        return Stale(job_id=job_id)
    if row.fence == transition.job.fence:  # an earlier try of this very save
        return Saved(job=row)
    if not may_save(row, transition, now=now):
        return Stale(job_id=job_id)
    after = tables.jobs[job_id] = written(row, transition, now=now)
    tables.record(transition, keep=HISTORY_KEPT)
    if transition.fact is Fact.REQUEUED:
        tables.watched[job_id] = transition.job.stamp
    if transition.target is not Target.NONE:
        tables.announce(after.stamp, after, transition.target, now=now)
    return Saved(job=after)
