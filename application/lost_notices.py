"""Notices that a living broker lost: found by a barrier in each lane, and written again."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import evolve

from jobmill.application.commits import Commits
from jobmill.application.errors import BrokerUnavailable
from jobmill.application.parcels import pack_barrier
from jobmill.application.ports.barriers import Barrier, BarrierRecord, Barriers
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.message_bus import Lane, MessageBus, PublishOutcome
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.outbox import Outbox
from jobmill.application.relay import Relay
from jobmill.domain.job import ANNOUNCES_MAX, Job
from jobmill.domain.lease import LeasePolicy

#: Allowed between the writing of a notice and its being with the broker: beyond a publish deadline.
SLACK: Final = timedelta(seconds=12)
PAGE: Final = 500
_PAGES_MAX: Final = 10
#: A barrier may stand behind hours of honest work, and in a lane that is never empty it cannot be told from a
#: lost one. So another is sent after this long, and after twice as long each further time.
PATIENCE: Final = timedelta(minutes=10)
_DOUBLINGS_MAX: Final = 16


class LostNotices:
    """Announces again the queued jobs that a barrier has shown to have no notice.

    A barrier waits in the same line as the notices. When it comes out, every notice that was ahead of it is
    in the hands of some worker; one ack deadline and slack later what is still queued has none. So a backlog
    is never multiplied, however old it is. A lane in which nothing has waited for long gets no barrier.

    Args:
        lanes: where jobs wait. One barrier goes through all shares of a lane, one after another.
        slack: how late a notice may reach the broker after it was written, by what the store's clock says.
    """

    def __init__(
        self,
        *,
        barriers: Barriers,
        commits: Commits,
        outbox: Outbox,
        bus: MessageBus,
        relay: Relay,
        lanes: Sequence[Lane],
        clock: Clock,
        entropy: Entropy,
        observer: Observer,
        lease: LeasePolicy,
        slack: timedelta = SLACK,
    ) -> None:
        self._barriers = barriers
        self._commits = commits
        self._outbox = outbox
        self._bus = bus
        self._relay = relay
        self._shares: dict[Lane, list[Lane]] = {}  # by the first of them
        for lane in lanes:
            self._shares.setdefault(evolve(lane, share=0), []).append(lane)
        self._clock = clock
        self._entropy = entropy
        self._observer = observer
        self._ack_deadline = lease.ack_deadline
        self._slack = slack
        self._unsent: set[UUID] = set()
        self._done: set[UUID] = set()  # barriers whose lost notices are all replaced
        self._empty_since_s: dict[UUID, float] = {}  # by barrier: the first look at which its lane was empty
        self._impatience: dict[Lane, int] = {}

    async def step(self) -> None:
        """Announce what is shown to be lost, and send barriers where they are wanted.

        Raises:
            Unavailable: the store cannot be reached.
        """
        records = {each.barrier.lane: each for each in await self._barriers.records()}
        self._forget_all_but(records.values())
        if not await self._announce_what_is_lost(records.values()):
            return  # there is more, of which a new barrier would know nothing
        wanted = dict(
            await self._barriers.wanted(
                list(self._shares), margin=self._slack, without=self._relay.refusing_queues
            )
        )
        if not wanted:
            return
        try:
            depths = await self._bus.depths([share for lane in wanted for share in self._shares[lane]])
        except BrokerUnavailable as error:
            self._observer.noted("lanes cannot be looked at", reason=str(error))
            return
        await self._send(
            {
                lane: until
                for lane, until in wanted.items()
                if (waiting := _sum(depths[share] for share in self._shares[lane])) is not None
                and self._may_send(records.get(lane), waiting == 0)
            },
            records,
        )

    def _has_judged(self, record: BarrierRecord) -> bool:
        return record.is_back and record.since >= self._ack_deadline + self._slack

    def _may_send(self, record: BarrierRecord | None, lane_is_empty: bool) -> bool:
        """Whether the last barrier of a lane has done its work or is lost."""
        if record is None or self._has_judged(record):
            return True
        if record.is_back:
            return False
        if record.barrier.id in self._unsent:
            return True
        return self._is_lost(record, lane_is_empty)

    def _is_lost(self, record: BarrierRecord, lane_is_empty: bool) -> bool:
        """Not back with the lane empty at two looks, one ack deadline apart; or not back for very long."""
        lane, now_s = record.barrier.lane, asyncio.get_running_loop().time()
        if lane_is_empty:
            first_s = self._empty_since_s.setdefault(record.barrier.id, now_s)
            if now_s - first_s >= self._ack_deadline.total_seconds():
                return True
        doublings = self._impatience.get(lane, 0)
        if record.since < PATIENCE * 2**doublings:
            return False
        self._impatience[lane] = min(doublings + 1, _DOUBLINGS_MAX)
        return True

    async def _send(self, wanted: Mapping[Lane, datetime], records: Mapping[Lane, BarrierRecord]) -> None:
        """Note barriers, then publish them: one that comes back is always known."""
        begun: list[Barrier] = []
        for lane, until in wanted.items():
            barrier = Barrier(
                id=self._entropy.job_id(),
                lane=lane,
                judges_before=until,
                shares=len(self._shares[lane]),
            )
            last = records.get(lane)
            if await self._barriers.begin(barrier, replaces=None if last is None else last.barrier.id):
                begun.append(barrier)
        outcomes = await self._bus.publish([pack_barrier(barrier) for barrier in begun])
        for barrier, outcome in zip(begun, outcomes, strict=True):
            if outcome is not PublishOutcome.CONFIRMED:
                self._unsent.add(barrier.id)

    def _forget_all_but(self, records: Collection[BarrierRecord]) -> None:
        self._done &= {record.barrier.id for record in records}
        under_way = {record.barrier.id: record.barrier.lane for record in records if not record.is_back}
        self._unsent &= under_way.keys()
        self._empty_since_s = {
            each: since_s for each, since_s in self._empty_since_s.items() if each in under_way
        }
        lanes = set(under_way.values())
        self._impatience = {lane: times for lane, times in self._impatience.items() if lane in lanes}

    # ---- what is lost

    async def _announce_what_is_lost(self, records: Iterable[BarrierRecord]) -> bool:
        """Announce page by page, up to a bound; False where that was reached."""
        pages = _PAGES_MAX
        for record in records:
            barrier = record.barrier
            while self._has_judged(record) and barrier.id not in self._done:
                jobs = await self._barriers.lost(barrier, after=self._ack_deadline + self._slack, limit=PAGE)
                if jobs:
                    await self._announce(jobs)
                if len(jobs) < PAGE:
                    self._done.add(barrier.id)  # it judges no more than it did then
                pages -= 1
                if not pages:
                    return False
        return True

    async def _announce(self, jobs: Sequence[Job]) -> None:
        """Write new notices, but not for ever: what was never started all the same is buried."""
        await self._bury([job for job in jobs if job.announces >= ANNOUNCES_MAX])
        lost = [job for job in jobs if job.announces < ANNOUNCES_MAX]
        if not lost:
            return
        rows = [self._entropy.stamp() for _ in lost]
        notices = await self._outbox.announce([job.fence for job in lost], rows=rows)
        written = [notice for notice in notices if notice is not None]
        self._observer.noted("lost notices replaced", jobs=len(written))
        self._relay.offer(written)

    async def _bury(self, jobs: Sequence[Job]) -> None:
        if jobs:
            now = self._clock.now()
            await self._commits.save_surely(
                [job.give_up(now=now, stamp=self._entropy.stamp()) for job in jobs]
            )


def _sum(depths: Iterable[int | None]) -> int | None:
    """Return the parcels of all shares; None where one does not exist."""
    counted = list(depths)
    return None if None in counted else sum(filter(None, counted))
