"""Jobs whose worker is surely dead: taken up at once, whatever is left of their leases."""

from typing import Final

from attrs import frozen

from jobmill.application.attendance import Attendance
from jobmill.application.commits import Commits
from jobmill.application.handlers import Registry
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.leases import Leases

PAGE: Final = 500
_PAGES_MAX: Final = 20


@frozen(kw_only=True)
class Orphans:
    """Takes jobs from the dead. Safe with two at once, and needs no patience: the proof is about the dead."""

    leases: Leases
    attendance: Attendance
    commits: Commits
    registry: Registry
    clock: Clock
    entropy: Entropy

    async def step(self) -> None:
        """Take a bounded number of jobs from workers that are gone.

        Raises:
            Unavailable: the store cannot be reached.
        """
        gone = [worker for worker in await self.leases.workers() if self.attendance.is_gone(worker)]
        if not gone:
            return
        for _ in range(_PAGES_MAX):
            jobs = await self.leases.held_by(gone, limit=PAGE)
            if jobs:
                now = self.clock.now()
                await self.commits.save_surely(
                    [
                        job.orphan(
                            policy=self.registry.policy_of(job.type),
                            now=now,
                            stamp=self.entropy.stamp(),
                            fraction=self.entropy.fraction(),
                        )
                        for job in jobs
                    ]
                )
            if len(jobs) < PAGE:
                return
