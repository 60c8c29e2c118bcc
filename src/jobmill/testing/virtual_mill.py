"""All of Jobmill inside a test: real services, virtual time, and faults on request."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from jobmill.adapters.memory.clocks import START
from jobmill.adapters.memory.tables import Effect
from jobmill.application.client import Client
from jobmill.application.errors import JobNotFound
from jobmill.application.filters import id_of
from jobmill.application.handlers import JobHandlers, JobType
from jobmill.application.public_job import Job, seen_from_outside
from jobmill.domain.job import Job as StoredJob
from jobmill.domain.states import TERMINAL, JobState
from jobmill.testing.crash_plan import CrashPoint
from jobmill.testing.errors import CrashNotReached, StillOpen
from jobmill.testing.expectation import Expectation, named, told
from jobmill.testing.known_types import KnownTypes
from jobmill.testing.mill_world import MillWorld
from jobmill.testing.virtual_gateway import VirtualGateway

IDLE_WITHIN: Final = timedelta(hours=1)


class VirtualMill(Client):
    """A whole Jobmill inside one test: a client, workers, a database and a broker.

    The services are the real ones: they claim, retry, lease, announce and recover as in production. Database
    and broker are in memory, under the contracts that the real ones keep. Time is virtual: it stands still
    while anything can be done and jumps to the next timer where nothing can, so minutes pass in milliseconds.
    The same seed takes the same course.

    Handlers run unchanged, on the event loop; a ``def`` handler, also one with ``process=True``, runs there
    in one go, so its timeout cannot stop it. ``job.transaction()`` gives a connection that takes any
    statement and runs none; what was committed stands in ``effects``.

    Not virtual is whatever a handler does beside Jobmill: real I/O takes real time, and is out of place here;
    give handlers a fake of what they call. ``datetime.now()`` stays real as well; see ``now``.
    """

    def __init__(
        self, *handlers: JobHandlers, seed: int = 1, workers: int = 2, concurrency: int = 10
    ) -> None:
        """Make a mill, which starts when it is first used.

        Args:
            handlers: the collections whose types it knows; others are learned when a test names them.
            seed: decides all chance: the jitter of retries, ids, turns.
            workers: processes that run jobs, 1 or more; a dead one is replaced after a second.
            concurrency: jobs that each of them runs at once, 1 or more.

        Raises:
            HandlerFault: two collections declare the same type.
        """
        types = KnownTypes(handlers)
        self._world = MillWorld(types=types, seed=seed, workers_count=workers, concurrency=concurrency)
        super().__init__(VirtualGateway(world=self._world))
        #: For code that takes a client.
        self.client: Final = Client(VirtualGateway(world=self._world))

    async def job(self, job: UUID | str | Job) -> Job:
        """Return a job as it stands; raises ``JobNotFound``."""
        return await self.get(job)

    # ---- time

    @property
    def now(self) -> datetime:
        """The mill's time, in UTC: it begins on 1 January 2030."""
        return START + timedelta(seconds=self._world.seconds)

    async def advance(self, by: timedelta) -> None:
        """Let time pass, and everything happen that is due by then, the last moment included."""
        loop = self._world.open()
        await asyncio.sleep(by.total_seconds())
        await loop.stillness()

    async def run_until_idle(self, *, within: timedelta = IDLE_WITHIN) -> None:
        """Let time pass until nothing runs, is queued or may follow what has ended, and no retry is due.

        Jobs that are scheduled for later are no business of the moment: ``advance`` to them.

        Args:
            within: how long this may take in virtual time; a retry that is due later is out of reach.

        Raises:
            StillOpen: that was not enough; the message shows what is still open.
        """
        loop = self._world.open()
        until = self.now + within
        try:
            async with asyncio.timeout(within.total_seconds()):
                while True:
                    await loop.stillness()
                    if not self._open_jobs(until):
                        return
                    await self._world.timeline.next_change()
        except TimeoutError:
            pass
        if still := self._open_jobs(until):
            raise StillOpen(self._still_open(still, within))

    def _open_jobs(self, until: datetime) -> list[Job]:
        return [
            seen_from_outside(job)
            for job in self._world.tables.jobs.values()
            if job.state in (JobState.PROCESSING, JobState.QUEUED)
            or (job.is_held and self._has_come(job))
            or (job.state is JobState.RETRYING and job.retry_at is not None and job.retry_at <= until)
        ]

    def _has_come(self, held: StoredJob) -> bool:
        """What a job waited for has ended."""
        jobs = self._world.tables.jobs
        if held.follows is not None:
            return held.follows in jobs and jobs[held.follows].state in TERMINAL
        return all(job.state in TERMINAL for job in jobs.values() if job.batch == held.id)

    def _still_open(self, jobs: Sequence[Job], within: timedelta) -> str:
        why = ", while the broker is down" if self._world.is_broker_down else ""
        lines = [f"{len(jobs)} of the jobs are still open after {within}{why}:"]
        for job in jobs[:3]:
            lines += [f"{named(job)} is {job.status.value}", told(self._world, job.id)]
        return "\n".join(lines)

    # ---- faults

    def crash(self, job_type: JobType[Any] | str, *, after: CrashPoint, attempt: int = 1) -> None:
        """Let a worker die, as by SIGKILL, where a job of the type comes to a point; once.

        Nothing of the process happens from there on, the ``finally`` blocks of its handlers included. Another
        worker is started a second later. A point that no job comes to fails the test at its end.

        Args:
            after: ``"claim"``: the job is claimed and its handler has not begun; ``"effect"``: the handler
                has ended, or is about to commit its own transaction, and no outcome is saved; ``"commit"``:
                the outcome is saved and the message is not acknowledged.
            attempt: the number of the attempt, 1 for the first.

        Raises:
            InvalidInput: there is no such point, or no such attempt.
        """
        self._world.plan.add(self._learned(job_type), after=after, attempt=attempt)

    def deliver_twice(self, job_type: JobType[Any] | str | None = None) -> None:
        """Let every notice of the type's jobs, by default of all, reach the workers twice from now on."""
        self._world.double(None if job_type is None else self._learned(job_type))

    @contextmanager
    def broker_down(self) -> Generator[None]:
        """Let no process reach the broker while the block lasts."""
        self._world.take_broker_away()
        try:
            yield
        finally:
            self._world.bring_broker_back()

    def broker_loses_everything(self) -> None:
        """Let the broker come back with nothing in it: every message that it had is gone."""
        self._world.empty_broker()

    def _learned(self, job_type: JobType[Any] | str) -> str:
        if isinstance(job_type, str):
            return self._world.types.named(job_type).name
        self._world.learn([job_type])
        return job_type.name

    # ---- looking

    def expect(self, job: UUID | str | Job) -> Expectation:
        """Return what can be asserted of a job as it stands now; raises ``JobNotFound``."""
        job_id = id_of(job)
        if job_id not in self._world.tables.jobs:
            raise JobNotFound(job_id)
        return Expectation(world=self._world, ids=[job_id])

    def expect_all(self, job_type: JobType[Any] | str | None = None) -> Expectation:
        """Return what can be asserted of every job, or of every job of a type, as they stand now."""
        name = None if job_type is None else self._learned(job_type)
        jobs = self._world.tables.jobs
        return Expectation(
            world=self._world, ids=[each for each in jobs if name is None or jobs[each].type == name]
        )

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What handlers have written and committed in ``job.transaction()``, in order."""
        return tuple(self._world.tables.effects)

    @property
    def trace(self) -> tuple[str, ...]:
        """Everything that happened, a line each; the same for the same seed."""
        return tuple(map(str, self._world.timeline.events))

    # ---- the end

    async def finish(self) -> None:
        """End the mill; the fixture does so, and leaving ``async with``.

        Raises:
            CrashNotReached: a planned crash has not come.
        """
        __tracebackhide__ = True
        await self.end()
        self.check_crashes()

    async def end(self) -> None:
        """End the mill, whether its planned crashes came or not; again is harmless."""
        await self._world.end()

    def check_crashes(self) -> None:
        """Raise ``CrashNotReached`` if a planned crash has not come."""
        __tracebackhide__ = True
        if missed := self._world.plan.not_reached:
            each = ", ".join(map(str, missed))
            jobs = [seen_from_outside(job) for job in self._world.tables.jobs.values()]
            seen = [f"  {named(job)} is {job.status.value}, attempt {job.attempts}" for job in jobs[:10]]
            raise CrashNotReached(
                "\n".join([f"no job came to {each}; the jobs:", *(seen or ["  there were none"])])
            )

    async def __aenter__(self) -> Self:
        """Refuse a loop with real time; the mill starts when it is first used."""
        self._world.checked_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; where the block failed, that says more than a crash that was not reached."""
        __tracebackhide__ = True
        await self.end()
        if error is None:
            self.check_crashes()
