"""Everything a crash left: lapsed leases, rows in the outbox, an emptied broker."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from jobmill.application.commits import Commits
from jobmill.application.dead_copies import DeadCopySweep
from jobmill.application.errors import BrokerUnavailable
from jobmill.application.handlers import Registry
from jobmill.application.lost_notices import LostNotices
from jobmill.application.ports.agenda import EVERYWHERE, Errands
from jobmill.application.ports.broker_epochs import BrokerEpochs, EpochRecord
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.leases import Leases
from jobmill.application.ports.message_bus import MessageBus
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.topology import Topology
from jobmill.application.relay import ROUND_MAX, Relay
from jobmill.domain.lease import LeasePolicy

PAGE: Final = 500
_PAGES_MAX: Final = 20
#: Short ones, since every job of a page is locked while it is written, and workers wait for those they start.
REFILL_PAGE: Final = 100
_REFILL_PAGES_MAX: Final = 100


class Reconciler:
    """Puts right what nobody else will. Safe with two at once.

    Args:
        topology: owner of the broker's queues, asked to create them again after a wipe; None where the bus
            needs none.
    """

    def __init__(
        self,
        *,
        leases: Leases,
        epochs: BrokerEpochs,
        commits: Commits,
        relay: Relay,
        lost_notices: LostNotices,
        dead_copies: DeadCopySweep,
        bus: MessageBus,
        topology: Topology | None,
        registry: Registry,
        clock: Clock,
        entropy: Entropy,
        observer: Observer,
        lease: LeasePolicy,
    ) -> None:
        self._leases = leases
        self._epochs = epochs
        self._commits = commits
        self._relay = relay
        self._lost_notices = lost_notices
        self._dead_copies = dead_copies
        self._bus = bus
        self._topology = topology
        self._registry = registry
        self._clock = clock
        self._entropy = entropy
        self._observer = observer
        self._ttl = lease.ttl
        self._renew_every_s = lease.renew_every.total_seconds()
        self._lapse_from_s: float | None = None
        self._offset: datetime | None = None  # of the store's clock from the loop's

    def distrust_leases(self) -> None:
        """Wait a whole lease before lapsing any: workers that live get the chance to renew first.

        For a new leader, for one that lost sight of the store, and after a jump of the store's clock.
        """
        self._lapse_from_s = None

    def resume(self, *, after_s: float) -> None:
        """Go on after so many seconds without a word of the store.

        No worker could renew in that time. Up to the time between two renewals that has cost no lease.
        """
        if after_s > self._renew_every_s:
            self.distrust_leases()

    def trust_leases(self) -> None:
        """Lapse what is over without waiting: surely no other worker lives that could renew first."""
        self._lapse_from_s = 0.0

    async def step(self, errands: Errands = EVERYWHERE) -> None:
        """Take a bounded step of each chore that there is something for.

        Raises:
            Unavailable: the store cannot be reached.
        """
        if self._may_lapse() and errands.runs:
            await self._lapse()
        if await self._refill():
            if errands.waits:
                await self._lost_notices.step()
            await self._dead_copies.step()
        for _ in range(_PAGES_MAX if errands.is_left else 0):
            if await self._relay.sweep() < ROUND_MAX:
                break

    def _may_lapse(self) -> bool:
        """Whether every worker that lives had the time to renew. To be asked at each step: time may jump."""
        now_s = asyncio.get_running_loop().time()
        if self._lapse_from_s is None or self._saw_time_jump():
            self._lapse_from_s = now_s + self._ttl.total_seconds()
        return now_s >= self._lapse_from_s

    async def _lapse(self) -> None:
        for _ in range(_PAGES_MAX):
            jobs = await self._leases.lapsed(limit=PAGE)
            if self._saw_time_jump():
                self.distrust_leases()
                return
            if jobs:
                now = self._clock.now()
                await self._commits.save_surely(
                    [
                        job.lapse(
                            policy=self._registry.policy_of(job.type),
                            now=now,
                            stamp=self._entropy.stamp(),
                            fraction=self._entropy.fraction(),
                        )
                        for job in jobs
                    ]
                )
            if len(jobs) < PAGE:
                break

    def _saw_time_jump(self) -> bool:
        """Whether the store's clock went another way than ours since the last look, by half a lease or more.

        Then leases look lapsed whose holders live.
        """
        offset = self._clock.now() - timedelta(seconds=asyncio.get_running_loop().time())
        before, self._offset = self._offset, offset
        return before is not None and abs(offset - before) * 2 >= self._ttl

    async def _refill(self) -> bool:
        """Compare the broker's marker with ours; a broker that lost its own has lost its messages too.

        Returns whether the marker is ours and no refill is under way.
        """
        if not self._bus.is_up:
            return False
        try:
            seen = await self._bus.epoch()
            record = await self._epochs.current()
            if record.epoch is not None and seen == _marker(record):
                if record.refilling:
                    await self._go_on(record.epoch)
                return not record.refilling
            if self._topology is not None:
                await self._topology.apply()
            epoch = str(self._entropy.job_id())
            self._observer.noted("broker without our marker, announcing all that waits", epoch=epoch)
            await self._epochs.begin(epoch)
            await self._bus.mark_epoch(_marker(EpochRecord(epoch=epoch, refilling=True)))
            await self._go_on(epoch)
        except BrokerUnavailable as error:
            self._observer.noted("broker cannot be asked for its marker", reason=str(error))
        return False

    async def _go_on(self, epoch: str) -> None:
        """Refill a bounded part. The end is noted only where the broker was not wiped again on the way."""
        for _ in range(_REFILL_PAGES_MAX):
            rows = [self._entropy.stamp() for _ in range(REFILL_PAGE)]
            if await self._epochs.refill(rows) < REFILL_PAGE:
                if await self._bus.epoch() == _marker(EpochRecord(epoch=epoch, refilling=True)):
                    await self._bus.mark_epoch(epoch)
                    await self._epochs.finish(epoch)
                return


def _marker(record: EpochRecord) -> str:
    """Return what a broker shows that has lost nothing since. While it is refilled it shows another one."""
    return f"{record.epoch} refilling" if record.refilling else f"{record.epoch}"
