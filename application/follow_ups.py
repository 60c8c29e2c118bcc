"""What follows from the ends of jobs: the next one of a chain, the callback of a batch."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from attrs import define, field

from jobmill.application.batches import left_by_batch
from jobmill.application.commits import Commits
from jobmill.application.errors import SetupFault, StorageRefused, Unavailable
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.ended_jobs import Ended, EndedJobs
from jobmill.application.ports.job_repository import Saved
from jobmill.application.ports.observer import Observer
from jobmill.domain.follow_up import follow_up
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
        held_up, is_all = await self._followed_up(ended)
        unfinished = held_up | (set() if is_all else {each.job.id for each in ended})
        done = [each for each in ended if each.job.id not in unfinished and each.job.batch not in held_up]
        if done:
            await self.ended_jobs.forget(done)
        return len(ended)

    async def _followed_up(self, ended: Sequence[Ended]) -> tuple[set[UUID], bool]:
        """Return after whom somebody still waits, since it was moved just now, and whether all were seen."""
        jobs = {each.job.id: each.job for each in ended}
        held = await self.ended_jobs.held_after(list(jobs), limit=HELD_PAGE)
        batches = {each.job.batch for each in ended if each.job.batch is not None}
        tallies = await self.ended_jobs.tallies(sorted(batches))
        moves: list[tuple[UUID, Transition]] = []
        for job in held:
            assert job.follows is not None
            move = follow_up(jobs[job.follows], job, now=self.clock.now(), stamp=self.entropy.stamp())
            moves.append((job.follows, move))
        for callback, tally in tallies.values():
            if callback.is_held and tally.is_over:
                left = left_by_batch(callback.id, tally)
                move = callback.proceed(inherited=left, now=self.clock.now(), stamp=self.entropy.stamp())
                moves.append((callback.id, move))
        if not moves:
            return set(), True
        answers = await self.commits.save_surely([move for _, move in moves])
        missed = {
            after for (after, _), answer in zip(moves, answers, strict=True) if not isinstance(answer, Saved)
        }
        return missed, len(held) < HELD_PAGE

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
