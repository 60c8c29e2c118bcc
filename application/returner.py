"""Sending back jobs that find no slot, so that idle workers get them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from attrs import evolve, frozen

from jobmill.application.errors import StorageRefused, Unavailable
from jobmill.application.fair_queues import NONE_FAIR, FairQueues
from jobmill.application.parcels import pack
from jobmill.application.ports.barriers import Barriers
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.message_bus import MessageBus, Parcel, PublishOutcome, ToLadder, ToLane
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.outbox import Notice, Outbox
from jobmill.domain.job import Job
from jobmill.domain.states import Target

#: Each time at most half of what came, so a job comes back at most log2 of a parcel's size times.
_SHARE: Final = 2


@frozen(kw_only=True)
class Returner:
    """Publishes the rest of a parcel again, in smaller ones."""

    bus: MessageBus
    outbox: Outbox
    barriers: Barriers
    clock: Clock
    entropy: Entropy
    observer: Observer
    fair: FairQueues = NONE_FAIR

    async def send_back(
        self, jobs: Sequence[Job], *, received: int, least: int = 1, later: timedelta | None = None
    ) -> bool:
        """Send jobs back to their lane; True once the broker or the outbox has taken responsibility.

        Args:
            received: how many jobs the parcel held that they came in.
            least: jobs that may always travel together.
            later: how long they shall stay away from their lane before, up to the slack of a barrier.
        """
        await self._note(jobs)
        notices = [Notice(row=0, job=job, target=Target.QUEUE) for job in jobs]
        jobs_max = max(least, received // _SHARE)
        packed = list(pack(notices, now=self.clock.now(), jobs_max=jobs_max, fair=self.fair))
        outcomes = await self.bus.publish([_after(each.parcel, later) for each in packed])
        unsure = [
            notice.job
            for each, outcome in zip(packed, outcomes, strict=True)
            if outcome is not PublishOutcome.CONFIRMED
            for notice in each.notices
        ]
        return not unsure or await self._through_outbox(unsure)

    async def _note(self, jobs: Sequence[Job]) -> None:
        """Let no barrier judge these by the place they had before: they go to the end, perhaps behind it."""
        try:
            await self.barriers.went_back([job.fence for job in jobs])
        except (Unavailable, StorageRefused):
            pass  # the worst that follows is a second notice

    async def _through_outbox(self, jobs: Sequence[Job]) -> bool:
        """Without the broker's word the outbox keeps them; a job that has moved on needs no notice."""
        fences = [job.fence for job in jobs]
        try:
            await self.outbox.announce(fences, rows=[self.entropy.stamp() for _ in fences])
        except (Unavailable, StorageRefused) as error:
            self.observer.noted("jobs kept for lack of a way back", jobs=len(jobs), reason=str(error))
            return False
        return True


def _after(parcel: Parcel, later: timedelta | None) -> Parcel:
    if later is None or not isinstance(parcel.destination, ToLane):
        return parcel
    return evolve(parcel, destination=ToLadder(lane=parcel.destination.lane, delay=later))
