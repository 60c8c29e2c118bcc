"""Following one job to its end: a line for everything that happened to it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from attrs import field, frozen

from jobmill.application.ports.job_finder import JobStory
from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL, Fact, JobState
from jobmill.domain.transition import HistoryEntry
from jobmill.entrypoints.cli.durations import written

#: The store is asked often at first, for most jobs are short, and then less and less.
PAUSE_FIRST_S: Final = 0.05
PAUSE_MAX_S: Final = 0.5
PAUSE_GROWTH: Final = 1.3
#: A job that waits so long in its queue may wait for somebody to run it at all.
PATIENCE_S: Final = 5.0

#: The column where the reason begins, and how much of a reason is shown.
_REASON_CHARS: Final = 25
_REASON_CHARS_MAX: Final = 300
_INDENT: Final = "    "

#: What a history entry says of its attempt, or that somebody did to the job.
OUTCOMES: Final = {
    Fact.RETRY_SCHEDULED: "failed",
    Fact.DEAD_LETTERED: "failed",
    Fact.POSTPONED: "postponed",
    Fact.HANDED_BACK: "handed back",
    Fact.CANCELLED: "cancelled",
    Fact.EXPIRED: "expired",
    Fact.REQUEUED: "requeued",
    Fact.DISCARDED: "discarded",
}
_REASONS: Final = {Fact.EXPIRED: "its time to live was over"}


@frozen(kw_only=True)
class Following:
    """One job that somebody waits for.

    Args:
        look: asks the store for the job as it is now.
        say: prints a line about the job.
        note: tells what is no news of the job.
        columns: how wide a line may be before it is set in two.
        pause: waits for so many seconds.
    """

    look: Callable[[], Awaitable[JobStory]]
    say: Callable[[str], None]
    note: Callable[[str], None]
    columns: int
    pause: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)

    async def to_the_end(self, first: Job) -> Job:
        """Return the job when it is finished; a line was printed for each attempt."""
        told, pause_s, queued_s = 0, PAUSE_FIRST_S, 0.0
        if first.state is JobState.SCHEDULED and first.run_at is not None:
            self.note(f"{first.id}  scheduled for {clock_time(first.run_at)}")
        while True:
            story = await self.look()
            news = [entry for entry in story.history if entry.version > told]
            for entry in news:
                self.say(words_of(entry, story.job).in_columns(self.columns))
                told = entry.version
            if story.job.state in TERMINAL:
                if story.job.state is JobState.SUCCEEDED:
                    self.say(words_of_success(story.job).in_columns(self.columns))
                return story.job
            pause_s = PAUSE_FIRST_S if news else min(pause_s * PAUSE_GROWTH, PAUSE_MAX_S)
            queued_s = self._grown(queued_s, pause_s, story.job)
            await self.pause(pause_s)

    def _grown(self, queued_s: float, pause_s: float, job: Job) -> float:
        if job.state is not JobState.QUEUED:
            return 0.0
        if queued_s < PATIENCE_S <= queued_s + pause_s:
            self.note("still queued: is `jobmill up` or a worker running?")
        return queued_s + pause_s


@frozen(kw_only=True)
class Words:
    """What one line says: of which attempt, how it ended, why, and what comes next, clause by clause."""

    attempt: str
    outcome: str
    reason: str = ""
    then: Sequence[str] = ()

    def in_columns(self, columns: int) -> str:
        """Set all in one line, or below each other where the line would break."""
        then = ", ".join(self.then)
        line = f"{self.attempt}  {self.outcome:<9}  {self.reason:<{_REASON_CHARS}}   {then}".rstrip()
        if len(line) <= columns:
            return line
        rest = f"{self.reason}   {then}".strip()
        parts = [rest] if len(_INDENT + rest) <= columns else [self.reason, *self.then]
        return "\n".join([f"{self.attempt}  {self.outcome}", *(_INDENT + part for part in parts if part)])


def words_of(entry: HistoryEntry, job: Job) -> Words:
    """Return what a history entry of the job says."""
    return Words(
        attempt=f"{job.id}  attempt {entry.attempt}" if entry.attempt else str(job.id),
        outcome=OUTCOMES.get(entry.fact, entry.fact.value),
        reason=first_line(entry.failure.message) if entry.failure else _REASONS.get(entry.fact, ""),
        then=tuple(_next_words(entry, job)),
    )


def words_of_success(job: Job) -> Words:
    """Return the same of the attempt that succeeded, which has no entry."""
    took = written(job.finished_at - job.started_at) if job.started_at and job.finished_at else ""
    return Words(attempt=f"{job.id}  attempt {job.attempt}", outcome="succeeded", reason=took)


def first_line(text: str) -> str:
    """Return the first line of an error, cut where it is very long."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _REASON_CHARS_MAX else line[: _REASON_CHARS_MAX - 1] + "…"


def clock_time(time: datetime) -> str:
    """Return a time in UTC to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S}Z"


def _next_words(entry: HistoryEntry, job: Job) -> Iterator[str]:
    retry_at = job.retry_at if job.version == entry.version else None
    if entry.fact is Fact.RETRY_SCHEDULED:
        yield f"retry in {written(retry_at - entry.at)}" if retry_at else "to be retried"
    elif entry.fact is Fact.POSTPONED and retry_at:
        yield f"again in {written(retry_at - entry.at)}"
    elif entry.fact in {Fact.DEAD_LETTERED, Fact.EXPIRED}:
        yield f"dead-lettered: see `jobmill job {job.id}`"
        yield f"`jobmill requeue {job.id}`"
