"""What happened in a virtual mill, in order: the trace of a run, and the course of each job."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from attrs import define, field, frozen

from jobmill.domain.job import Job
from jobmill.domain.states import Fact
from jobmill.domain.transition import Transition
from jobmill.testing.notes import Notes


@frozen(kw_only=True)
class Event:
    """One thing that happened, at ``at_s`` virtual seconds from the start."""

    at_s: float
    who: str
    what: str
    job_id: UUID | None = None

    def __str__(self) -> str:
        """Return one line, as in ``+2.030 s  worker-1: started, attempt 1``."""
        return f"{self.at_s:+10.3f} s  {self.who}: {self.what}"


@define(eq=False, kw_only=True)
class Timeline:
    """Everything that happened, by the seconds of a clock."""

    seconds: Callable[[], float]
    events: list[Event] = field(factory=list)
    _changed: asyncio.Event = field(factory=asyncio.Event, init=False)

    def note(self, who: str, what: str, *, job_id: UUID | None = None) -> None:
        """Add what happens now."""
        self.events.append(Event(at_s=self.seconds(), who=who, what=what, job_id=job_id))
        if job_id is not None:
            self._changed.set()

    async def next_change(self) -> None:
        """Return when a job moves; what moved since the last call counts."""
        await self._changed.wait()
        self._changed.clear()

    def course_of(self, job_id: UUID) -> Sequence[Event]:
        """What happened to one job."""
        return [event for event in self.events if event.job_id == job_id]


@define(eq=False, kw_only=True)
class Told(Notes):
    """Passes on to the timeline what a process says."""

    timeline: Timeline
    who: str

    def submitted(self, jobs: Sequence[Job]) -> None:
        """See ``Observer``."""
        for job in jobs:
            until = f" for {_clock(job.run_at)}" if job.run_at else ""
            self.timeline.note(self.who, f"submitted {job.type}{until}", job_id=job.id)

    def moved(self, transitions: Sequence[Transition]) -> None:
        """See ``Observer``."""
        for move in transitions:
            self.timeline.note(self.who, ", ".join(_words(move)), job_id=move.job.id)

    def noted(self, event: str, **fields: object) -> None:
        """See ``Observer``."""
        job_id = fields.get("job_id")
        told = "".join(f", {name} {value}" for name, value in fields.items() if name != "job_id")
        self.timeline.note(self.who, f"{event}{told}", job_id=job_id if isinstance(job_id, UUID) else None)


def _words(move: Transition) -> Iterator[str]:
    """Tell a move: what, which attempt, until when, and why."""
    yield move.fact.value
    job = move.job
    if job.attempt:
        yield f"attempt {job.attempt}"
    if move.fact in (Fact.RETRY_SCHEDULED, Fact.POSTPONED) and job.retry_at is not None:
        yield f"to be tried at {_clock(job.retry_at)}"
    if move.failure is not None:
        yield move.failure.message


def _clock(time: datetime) -> str:
    return time.isoformat(sep=" ", timespec="milliseconds")
