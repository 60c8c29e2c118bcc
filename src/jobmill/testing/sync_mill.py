"""The virtual mill for tests that are no coroutines."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self, TypeVar, Unpack, overload
from uuid import UUID

from jobmill.adapters.memory.tables import Effect
from jobmill.application.batches import Batch, BatchReport
from jobmill.application.client import WAIT_DEFAULT, Options, Submission
from jobmill.application.handlers import JobHandlers, JobType
from jobmill.application.public_job import Job
from jobmill.testing.crash_plan import CrashPoint
from jobmill.testing.errors import MillEnded, RealTime
from jobmill.testing.expectation import Expectation
from jobmill.testing.virtual_loop import VirtualTimeLoop
from jobmill.testing.virtual_mill import IDLE_WITHIN, VirtualMill

Answer = TypeVar("Answer")
P = TypeVar("P")


class SyncVirtualMill:
    """A ``VirtualMill`` with the same verbs, none of which is awaited.

    Jobs run while a verb does: between two of them time stands still, and nothing happens.
    """

    def __init__(
        self, *handlers: JobHandlers, seed: int = 1, workers: int = 2, concurrency: int = 10
    ) -> None:
        """Make a mill; see ``VirtualMill``."""
        #: The mill itself, for code that is asynchronous.
        self.mill: Final = VirtualMill(*handlers, seed=seed, workers=workers, concurrency=concurrency)
        self._runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self._has_ended = False

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run any coroutine in the mill's time, such as one that takes ``mill.client``.

        Raises:
            RealTime: an event loop runs here already; use ``VirtualMill``.
            MillEnded: the mill has ended.
        """
        if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the public one raises where none runs
            work.close()
            raise RealTime("a SyncVirtualMill cannot be used inside of a coroutine: use VirtualMill there")
        if self._has_ended:
            work.close()
            raise MillEnded("this mill has ended with its test; make another SyncVirtualMill")
        return self._runner.run(work)

    # ---- as a client

    @overload
    def submit(self, job_type: JobType[P], payload: P, **options: Unpack[Options]) -> Job: ...
    @overload
    def submit(self, job_type: str, payload: Mapping[str, Any], **options: Unpack[Options]) -> Job: ...
    def submit(self, job_type: Any, payload: Any, **options: Unpack[Options]) -> Job:
        """Store one job; see ``Client``."""
        return self.run(self.mill.submit(job_type, payload, **options))

    def submit_many(self, submissions: Sequence[Submission[Any]]) -> Sequence[Job]:
        """Store several jobs, all or none; see ``Client``."""
        return self.run(self.mill.submit_many(submissions))

    def submit_batch(self, submissions: Sequence[Submission[Any]], *, callback: Submission[Any]) -> Batch:
        """Store jobs and one that runs when all of them have ended; see ``Client``."""
        return self.run(self.mill.submit_batch(submissions, callback=callback))

    def batch(self, batch: UUID | str | Batch) -> BatchReport:
        """Return how a batch stands; raises ``JobNotFound``."""
        return self.run(self.mill.batch(batch))

    def get(self, job: UUID | str | Job) -> Job:
        """Return a job as it stands; raises ``JobNotFound``."""
        return self.run(self.mill.get(job))

    def job(self, job: UUID | str | Job) -> Job:
        """Return a job as it stands; raises ``JobNotFound``."""
        return self.get(job)

    def list(self, **filters: Any) -> Sequence[Job]:
        """Return a page of jobs, newest first; see ``Client`` for the filters."""
        return self.run(self.mill.list(**filters))

    def wait(self, job: UUID | str | Job, *, timeout: timedelta = WAIT_DEFAULT) -> Job:
        """Return a job when it is finished; see ``Client``."""
        return self.run(self.mill.wait(job, timeout=timeout))

    def cancel(self, job: UUID | str | Job) -> Job:
        """Take a job back; see ``Client``."""
        return self.run(self.mill.cancel(job))

    def requeue(self, job: UUID | str | Job, *, payload: Mapping[str, Any] | None = None) -> Job:
        """Start a dead or cancelled job over; see ``Client``."""
        return self.run(self.mill.requeue(job, payload=payload))

    # ---- time and faults, as in ``VirtualMill``

    @property
    def now(self) -> datetime:
        """The mill's time, in UTC."""
        return self.mill.now

    def advance(self, by: timedelta) -> None:
        """Let time pass; see ``VirtualMill``."""
        self.run(self.mill.advance(by))

    def run_until_idle(self, *, within: timedelta = IDLE_WITHIN) -> None:
        """Let time pass until nothing is left to do at once; see ``VirtualMill``."""
        __tracebackhide__ = True
        self.run(self.mill.run_until_idle(within=within))

    def crash(self, job_type: JobType[Any] | str, *, after: CrashPoint, attempt: int = 1) -> None:
        """Let a worker die; see ``VirtualMill``."""
        self.mill.crash(job_type, after=after, attempt=attempt)

    def deliver_twice(self, job_type: JobType[Any] | str | None = None) -> None:
        """Let notices come twice; see ``VirtualMill``."""
        self.mill.deliver_twice(job_type)

    def broker_down(self) -> AbstractContextManager[None]:
        """Let no process reach the broker while the block lasts."""
        return self.mill.broker_down()

    def broker_loses_everything(self) -> None:
        """Let the broker come back with nothing in it."""
        self.mill.broker_loses_everything()

    # ---- looking

    def expect(self, job: UUID | str | Job) -> Expectation:
        """Return what can be asserted of a job; see ``VirtualMill``."""
        return self.mill.expect(job)

    def expect_all(self, job_type: JobType[Any] | str | None = None) -> Expectation:
        """Return what can be asserted of every job; see ``VirtualMill``."""
        return self.mill.expect_all(job_type)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What handlers have committed in ``job.transaction()``."""
        return self.mill.effects

    @property
    def trace(self) -> tuple[str, ...]:
        """Everything that happened, a line each."""
        return self.mill.trace

    # ---- the end

    def finish(self) -> None:
        """End the mill; raises ``CrashNotReached``."""
        __tracebackhide__ = True
        self.close()
        self.mill.check_crashes()

    def close(self) -> None:
        """End the mill, whether its planned crashes came or not; again is harmless."""
        if not self._has_ended:
            with self._runner:
                self.run(self.mill.end())
            self._has_ended = True

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; where the block failed, that says more than a crash that was not reached."""
        __tracebackhide__ = True
        self.close()
        if error is None:
            self.mill.check_crashes()
