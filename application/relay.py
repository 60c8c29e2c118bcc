"""From the outbox to the bus: what is committed gets announced."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from typing import Final

from jobmill.application.errors import StorageRefused, Unavailable
from jobmill.application.parcels import PARCEL_JOBS_MAX, PackedParcel, pack
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.message_bus import MessageBus, PublishOutcome
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.outbox import Notice, Outbox

#: Notices on the fast path; beyond, they are left to the sweep.
OFFERED_MAX: Final = 20_000
#: Notices that go out in one round.
ROUND_MAX: Final = 2_000
#: Rows younger than this may still be on their fast path.
SWEEP_AFTER: Final = timedelta(seconds=5)
_BACKOFF_FIRST_S: Final = 1.0
_BACKOFF_MAX_S: Final = 60.0


class Relay:
    """Publishes notices and forgets exactly the rows whose parcels were confirmed.

    A row that is not confirmed stays for a later sweep; a queue that refuses is left alone for a while, so
    that it does not hold up the others.
    """

    def __init__(
        self,
        *,
        bus: MessageBus,
        outbox: Outbox,
        clock: Clock,
        observer: Observer,
        parcel_jobs: int = PARCEL_JOBS_MAX,
    ) -> None:
        self._bus = bus
        self._outbox = outbox
        self._clock = clock
        self._observer = observer
        self._parcel_jobs = parcel_jobs
        self._offered: deque[Notice] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._in_flight: set[int] = set()  # rows that the fast path looks after
        self._resting: dict[str, tuple[float, float]] = {}  # queue: until, length of the rest

    def offer(self, notices: Sequence[Notice]) -> None:
        """Take the fast path with what was just committed; what does not fit waits for the sweep."""
        if notices and self._bus.is_up and len(self._offered) < OFFERED_MAX:
            self._offered.extend(notices)
            self._in_flight.update(notice.row for notice in notices)
            self._idle.clear()
            self._wake.set()

    @property
    def refusing_queues(self) -> frozenset[str]:
        """The queues that took no parcel when they were last tried."""
        now = asyncio.get_running_loop().time()
        return frozenset(queue for queue, (until, _) in self._resting.items() if until > now)

    async def run(self) -> None:
        """Publish what is offered, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._offered:
                count = min(len(self._offered), ROUND_MAX)
                resting = self.refusing_queues
                offered = [self._offered.popleft() for _ in range(count)]
                await self._publish([notice for notice in offered if notice.job.queue not in resting])
                self._in_flight.difference_update(notice.row for notice in offered)
            self._idle.set()

    async def drained(self, *, within_s: float) -> None:
        """Wait until everything offered so far was tried, or the time is over."""
        try:
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        except TimeoutError:
            pass  # the rows are still in the outbox

    async def sweep(self, *, older_than: timedelta = SWEEP_AFTER, unattended: bool = False) -> int:
        """Publish a page of rows that were left behind; return how many notices were confirmed.

        Args:
            unattended: only rows that nobody else publishes.

        Raises:
            Unavailable: the store cannot be reached.
        """
        if not self._bus.is_up:
            return 0
        notices = await self._outbox.pending(
            limit=ROUND_MAX,
            older_than=older_than,
            without=self.refusing_queues,
            unattended=unattended,
        )
        return await self._publish([notice for notice in notices if notice.row not in self._in_flight])

    async def _publish(self, notices: Sequence[Notice]) -> int:
        packed = list(pack(notices, now=self._clock.now(), jobs_max=self._parcel_jobs))
        if not packed:
            return 0
        outcomes = await self._bus.publish([each.parcel for each in packed])
        confirmed: list[PackedParcel] = []
        for each, outcome in zip(packed, outcomes, strict=True):
            queue = each.notices[0].job.queue
            if outcome is PublishOutcome.CONFIRMED:
                confirmed.append(each)
                self._resting.pop(queue, None)
            elif outcome is not PublishOutcome.UNKNOWN:
                self._rest(queue, outcome)
        told = list(chain.from_iterable(each.notices for each in confirmed))
        await self._forget(told)
        return len(told)

    async def _forget(self, notices: Sequence[Notice]) -> None:
        try:
            await self._outbox.forget([notice.row for notice in notices])
        except (Unavailable, StorageRefused) as error:
            # The sweep publishes them again: a doubled notice is harmless.
            self._observer.noted("outbox rows not forgotten", rows=len(notices), reason=str(error))

    def _rest(self, queue: str, outcome: PublishOutcome) -> None:
        if not self._bus.is_up:
            return  # no fault of the queue
        now = asyncio.get_running_loop().time()
        until, length = self._resting.get(queue, (0.0, _BACKOFF_FIRST_S / 2))
        if until > now:
            return  # another parcel of the same round
        length = min(2 * length, _BACKOFF_MAX_S)
        self._resting[queue] = (now + length, length)
        self._observer.noted("queue takes no parcels", queue=queue, outcome=outcome.value, retry_s=length)
