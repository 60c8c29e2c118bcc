"""Asserts about jobs that read well, and show what happened where they fail."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from attrs import frozen

from jobmill.application.public_job import Job, seen_from_outside
from jobmill.domain.states import UNSTARTED, JobState
from jobmill.testing.mill_world import MillWorld

_UNASKED: Final = object()


@frozen(kw_only=True)
class Expectation:
    """What jobs are expected to have come to by now. Every verb asks at once, and raises AssertionError."""

    world: MillWorld
    ids: Sequence[UUID]

    def succeeded(self, *, attempts: int | None = None, result: object = _UNASKED) -> None:
        """Expect success, after so many attempts, with such a result."""
        __tracebackhide__ = True
        for job in self._jobs(JobState.SUCCEEDED, "succeeded", attempts=attempts):
            if result is not _UNASKED and job.result != result:
                self._fail(job, f"was to return {result!r}, and it returned {job.result!r}")

    def failed(self, *, reason: str | None = None, attempts: int | None = None) -> None:
        """Expect a dead letter; ``reason`` is a part of the last error's text."""
        __tracebackhide__ = True
        for job in self._jobs(JobState.FAILED, "failed", attempts=attempts):
            if reason is not None and reason not in (job.error or ""):
                self._fail(job, f"was to fail by {reason!r}, and it failed by {job.error!r}")

    def cancelled(self) -> None:
        """Expect that somebody took it back or stopped it."""
        __tracebackhide__ = True
        self._jobs(JobState.CANCELLED, "cancelled")

    def expired(self) -> None:
        """Expect that its time to live ended before it started."""
        __tracebackhide__ = True
        self._jobs(JobState.EXPIRED, "expired")

    def waits(self, *, attempts: int | None = None) -> None:
        """Expect that it is scheduled, queued, or to be tried again."""
        __tracebackhide__ = True
        for job in self._jobs(None, "waiting", attempts=attempts):
            if job.status not in UNSTARTED:
                self._fail(job, f"was to be waiting, and it is {job.status.value}")

    def _jobs(self, status: JobState | None, word: str, *, attempts: int | None = None) -> list[Job]:
        __tracebackhide__ = True
        if not self.ids:
            raise AssertionError(f"jobs were to be {word}, and there is none")
        jobs = [seen_from_outside(self.world.tables.jobs[job_id]) for job_id in self.ids]
        for job in jobs:
            if status is not None and job.status is not status:
                self._fail(job, f"was to be {word}, and it is {job.status.value}{_because(job)}")
            if attempts is not None and job.attempts != attempts:
                self._fail(job, f"was to be {word} after {_times(attempts)}, and it took {job.attempts}")
        return jobs

    def _fail(self, job: Job, difference: str) -> None:
        __tracebackhide__ = True
        raise AssertionError(f"{named(job)} {difference}\n{told(self.world, job.id)}")


def named(job: Job) -> str:
    """Return a job's type and id."""
    return f"{job.type} {job.id}"


def told(world: MillWorld, job_id: UUID) -> str:
    """Return a job's course, a line for each event."""
    lines = world.timeline.course_of(job_id)
    return "\n".join(["its course:", *(f"  {line}" for line in lines)])


def _because(job: Job) -> str:
    return f" (attempt {job.attempts}: {job.error})" if job.error else ""


def _times(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"
