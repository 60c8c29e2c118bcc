"""A store with jobs in it, each brought into its state by the moves that lead there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen

from jobmill.application.ports.job_finder import JobStory
from jobmill.application.ports.job_repository import AddAnswer, NewJob, SaveAnswer, Saved, Stored
from jobmill.application.ports.outbox import Notice
from jobmill.application.ports.store import Store
from jobmill.domain.failure import FailureKind
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.job import Job
from jobmill.domain.transition import Transition
from jobmill.testing.builders import (
    HOUR,
    SECOND,
    a_failure,
    a_job,
    a_submitted_job,
    failed,
    handed_back,
    started,
    succeeded,
)

#: A lease that ended before it began. The store's clock cannot be moved, so this is how a lease is over.
LEASE_OVER: Final = -SECOND
MANY: Final = 1_000


@frozen(kw_only=True)
class StoreWorld:
    """The store under test. Times are by its own clock, an hour this way or that where they matter."""

    store: Store

    @property
    def now(self) -> datetime:
        """The store's time."""
        return self.store.clock.now()

    async def add(self, *unit: Job, keys: tuple[KeyClaim, ...] = ()) -> Sequence[AddAnswer]:
        """Add jobs as one unit; the keys are the first job's."""
        news = [NewJob(job=job, keys=keys if job is unit[0] else ()) for job in unit]
        [answers] = await self.store.jobs.add([news])
        return answers

    async def has(self, job: Job, *, keys: tuple[KeyClaim, ...] = ()) -> Job:
        """A job stored as it is."""
        [answer] = await self.add(job, keys=keys)
        assert isinstance(answer, Stored)
        return answer.job

    async def queued(self, *, keys: tuple[KeyClaim, ...] = (), **facts: Any) -> Job:
        """A job that waits in its queue."""
        return await self.has(a_job(now=self.now, **facts), keys=keys)

    async def scheduled(self, *, due_in: timedelta = HOUR, **wishes: Any) -> Job:
        """A job for later; with ``due_in`` below 0, one whose time has come since it was made."""
        made = self.now - 10 * HOUR
        return await self.has(a_submitted_job(now=made, run_at=self.now + due_in, **wishes))

    async def out_of_time(self, *, ago: timedelta = HOUR, **facts: Any) -> Job:
        """A queued job whose time to live is over."""
        return await self.queued(ttl=HOUR, expires_at=self.now - ago, **facts)

    async def running(
        self,
        *,
        worker: str = "worker-1",
        lease: timedelta = HOUR,
        keys: tuple[KeyClaim, ...] = (),
        **facts: Any,
    ) -> Job:
        """A job that a worker has claimed."""
        job = await self.queued(keys=keys, **facts)
        return await self.saved(started(job, worker=worker, lease=lease, now=self.now))

    async def retrying(self, *, due_in: timedelta = HOUR, **facts: Any) -> Job:
        """A job that failed once, and may be tried again in ``due_in``."""
        job = await self.running(**facts)
        return await self.saved(failed(job, a_failure(retry_after=due_in), now=self.now))

    async def stopped_while_it_ran(self, **facts: Any) -> Job:
        """A queued job that somebody asked to stop while it ran, unseen by the worker that handed it back."""
        job = await self.running(**facts)
        assert await self.store.leases.ask_to_stop([job.id]) == [True]
        return await self.saved(handed_back(job, now=self.now))

    async def dead(self, **facts: Any) -> Job:
        """A dead letter."""
        job = await self.running(**facts)
        return await self.saved(failed(job, a_failure(FailureKind.PERMANENT), now=self.now))

    async def done(self, **facts: Any) -> Job:
        """A job that succeeded."""
        return await self.saved(succeeded(await self.running(**facts), now=self.now))

    async def save(self, transition: Transition) -> SaveAnswer:
        """The answer to one transition."""
        [answer] = await self.store.jobs.save([transition])
        return answer

    async def saved(self, transition: Transition) -> Job:
        """The job after a transition that is saved."""
        answer = await self.save(transition)
        assert isinstance(answer, Saved), answer
        return answer.job

    async def seen(self, job: Job) -> Job:
        """The job as it stands now."""
        [row] = await self.store.jobs.get([job.id])
        assert row is not None
        return row

    async def story(self, job: Job) -> JobStory:
        """The job with its history."""
        story = await self.store.finder.story(job.id)
        assert story is not None
        return story

    async def notices(self) -> Sequence[Notice]:
        """All notices that wait to be published."""
        return await self.store.outbox.pending(limit=MANY, older_than=timedelta(0))

    async def notices_of(self, job: Job) -> Sequence[Notice]:
        """Those of one job."""
        return [notice for notice in await self.notices() if notice.job.id == job.id]

    async def forgets_all_notices(self) -> None:
        """As if everything had been published."""
        await self.store.outbox.forget([notice.row for notice in await self.notices()])
