"""The repository as a process sees it, with a note of what became of every doubt."""

from collections.abc import Sequence
from uuid import UUID

from attrs import define, field

from jobmill.application.errors import StorageUnknown
from jobmill.application.ports.job_repository import (
    AddAnswer,
    JobRepository,
    NewJob,
    SaveAnswer,
    Saved,
    Stored,
)
from jobmill.domain.job import Job
from jobmill.domain.states import Fact
from jobmill.domain.transition import Transition

from tests.simulation.trace import Trace


@define(kw_only=True)
class WatchedJobs(JobRepository):
    """Passes everything on. A statement in doubt is remembered until the same stamp gets its answer."""

    jobs: JobRepository
    trace: Trace
    who: str
    _in_doubt: set[int] = field(init=False, factory=set)

    async def add(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        stamps = [new.job.stamp for unit in units for new in unit]
        try:
            answers = await self.jobs.add(units)
        except StorageUnknown:
            self._in_doubt.update(stamps)
            raise
        for unit, told in zip(units, answers, strict=True):
            for new, answer in zip(unit, told, strict=True):
                if new.job.stamp in self._in_doubt:
                    mine = isinstance(answer, Stored)
                    self.trace.saw(f"doubt: submission was {'' if mine else 'not '}mine")
        return answers

    async def get(self, job_ids: Sequence[UUID]) -> Sequence[Job | None]:
        return await self.jobs.get(job_ids)

    async def save(self, transitions: Sequence[Transition]) -> Sequence[SaveAnswer]:
        stamps = [move.job.stamp for move in transitions]
        try:
            answers = await self.jobs.save(transitions)
        except StorageUnknown:
            self._in_doubt.update(stamps)
            raise
        for move, answer in zip(transitions, answers, strict=True):
            is_saved = isinstance(answer, Saved)
            if not is_saved:
                self.trace.saw(f"refused: {move.fact.value}")
                self.trace.tell(self.who, f"is refused: {move.fact.value}", move.job.id)
            if move.job.stamp in self._in_doubt:
                what = "claim" if move.fact is Fact.STARTED else "move"
                self.trace.saw(f"doubt: {what} was {'' if is_saved else 'not '}mine")
        return answers
