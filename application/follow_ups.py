"""What follows from the ends of jobs: the next one of a chain, the callback of a batch."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from attrs import define, field

from jobmill.application.batches import left_by_batch
from jobmill.application.commits import Commits
from jobmill.application.errors import SetupFault, StorageRefused, Unavailable
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.ended_jobs import Ended, EndedJobs
from jobmill.application.ports.observer import Observer
from jobmill.domain.follow_up import follow_up
from jobmill.domain.job import Job
from jobmill.domain.transition import Transition

#: What a follower waits for at most after the end that it waited for; one look is one small index.
LOOK_EVERY_S: Final = 1.0
PAGE: Final = 100
#: A job may have any number of followers, which are let go in so many steps.
HELD_PAGE: Final = 1_000


@define(kw_only=True)
class FollowUps:
    """Lets go what waited for jobs that have ended, while this process leads.

    Safe with two at once, and after a crash anywhere: each follower and each callback is let go by one
    compare-and-set, and a job is watched until that is done for all who waited for it.

    Args:
        leads: says whether this process leads.
    """

    ended_jobs: EndedJobs
    commits: Commits
    clock: Clock
    entropy: Entropy
    observer: Observer
    leads: Callable[[], bool]
    _complaint: str = field(default="", init=False)

    async def run(self) -> None:
        """Look every second, until cancelled; at once again where there was something."""
        while True:
            if not (self.leads() and await self._step_anyway()):
                await asyncio.sleep(LOOK_EVERY_S)

    async def step(self) -> int:
        """See to a page of ends; return how many.

        Raises:
            Unavailable: the store cannot be reached.
        """
        ended = await self.ended_jobs.ended(limit=PAGE)
        if not ended:
            return 0
        held = await self.ended_jobs.held_after([each.job.id for each in ended], limit=HELD_PAGE)
        moves = [*self._followers(ended, held), *await self._callbacks(ended)]
        if moves:
            await self.commits.save_surely(moves)  # of which some other leader may have saved, or a person
        if len(held) < HELD_PAGE:
            await self.ended_jobs.forget(ended)
        return len(ended)

    def _followers(self, ended: Sequence[Ended], held: Sequence[Job]) -> Iterator[Transition]:
        jobs = {each.job.id: each.job for each in ended}
        for job in held:
            assert job.follows is not None
            yield follow_up(jobs[job.follows], job, now=self.clock.now(), stamp=self.entropy.stamp())

    async def _callbacks(self, ended: Sequence[Ended]) -> Sequence[Transition]:
        batches = {each.job.batch for each in ended if each.job.batch is not None}
        tallies = await self.ended_jobs.tallies(sorted(batches))
        return [
            callback.proceed(
                inherited=left_by_batch(callback.id, tally),
                now=self.clock.now(),
                stamp=self.entropy.stamp(),
            )
            for callback, tally in tallies.values()
            if callback.is_held and tally.is_over
        ]

    async def _step_anyway(self) -> int:
        try:
            count = await self.step()
        except (Unavailable, StorageRefused, SetupFault) as error:
            if str(error) != self._complaint:
                self.observer.noted("followers wait for the next look", reason=str(error))
            self._complaint = str(error)
            return 0
        self._complaint = ""
        return count
