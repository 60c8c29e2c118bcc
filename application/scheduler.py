"""Everything with a time: due jobs, overdue retries, ended times to live."""

from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen

from jobmill.application.commits import Commits
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.due_jobs import DueJobs
from jobmill.domain.job import Job
from jobmill.domain.transition import Transition

PAGE: Final = 500
_PAGES_MAX: Final = 20


@frozen(kw_only=True)
class Scheduler:
    """Moves jobs whose time has come. Safe with two at once: every move is a compare-and-set."""

    due_jobs: DueJobs
    commits: Commits
    clock: Clock
    entropy: Entropy

    async def step(self) -> int:
        """Move what is due, in pages and up to a bound; return how many jobs were looked at.

        Raises:
            Unavailable: the store cannot be reached.
        """
        looked = 0
        for _ in range(_PAGES_MAX):
            expired = await self._move(await self.due_jobs.expired(limit=PAGE), self._expire)
            due = await self._move(await self.due_jobs.due(limit=PAGE), self._release)
            stopped = await self._move(await self.due_jobs.to_cancel(limit=PAGE), self._cancel)
            looked += expired + due + stopped
            if max(expired, due, stopped) < PAGE:
                break
        return looked

    async def _move(self, jobs: Sequence[Job], move: Callable[[Job], Transition]) -> int:
        if jobs:
            await self.commits.save_surely([move(job) for job in jobs])
        return len(jobs)

    def _expire(self, job: Job) -> Transition:
        return job.expire(now=self.clock.now(), stamp=self.entropy.stamp())

    def _release(self, job: Job) -> Transition:
        return job.release(now=self.clock.now(), stamp=self.entropy.stamp())

    def _cancel(self, job: Job) -> Transition:
        return job.cancel(now=self.clock.now(), stamp=self.entropy.stamp())
