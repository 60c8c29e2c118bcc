"""From the outbox to the bus: what is committed gets announced."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import chain
from typing import Final

from jobmill.application.errors import StorageRefused, Unavailable
from jobmill.application.fair_queues import NONE_FAIR, FairQueues
from jobmill.application.parcels import PARCEL_JOBS_MAX, PackedParcel, pack
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.message_bus import MessageBus, PublishOutcome
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.outbox import Notice, Outbox

#: Notices on the fast path; beyond, they are left to the sweep.
OFFERED_MAX: Final = 20_000
#: Notices of a queue that go out in one round.
ROUND_MAX: Final = 2_000
#: What comes for a queue whose parcels are not confirmed by then is left to the sweep.
SLOW_AFTER_S: Final = 1.0
#: Rows younger than this may still be on their fast path.
SWEEP_AFTER: Final = timedelta(seconds=5)
#: Nobody waits for rows to be forgotten: the statement waits so long for more of them, unless there are many.
FORGET_AFTER_S: Final = 0.05
FORGET_AT_ONCE: Final = 1_000
_BACKOFF_FIRST_S: Final = 1.0
_BACKOFF_MAX_S: Final = 60.0


class Relay:
    """Publishes notices and forgets exactly the rows whose parcels were confirmed.

    A row that is not confirmed stays for a later sweep; a queue that refuses is left alone for a while, so
    that it does not hold up the others. What is offered while a round of its queue is out goes into the next:
    two at once would make smaller parcels, and more work for all who come after. No round waits for that of
    another queue, nor for rows to be forgotten.
    """

    def __init__(
        self,
        *,
        bus: MessageBus,
        outbox: Outbox,
        clock: Clock,
        observer: Observer,
        parcel_jobs: int = PARCEL_JOBS_MAX,
        fair: FairQueues = NONE_FAIR,
    ) -> None:
        self._bus = bus
        self._outbox = outbox
        self._clock = clock
        self._observer = observer
        self._parcel_jobs = parcel_jobs
        self._fair = fair
        self._offered: dict[str, deque[Notice]] = {}  # by queue
        self._out: dict[str, float] = {}  # queues with parcels on their way: since when
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._in_flight: set[int] = set()  # rows that the fast path looks after
        self._open = 0  # offered, and neither forgotten nor left to the sweep
        self._told: list[Notice] = []  # confirmed, and not yet forgotten
        self._has_told = asyncio.Event()
        self._hurries = asyncio.Event()  # there are many of them, or somebody waits
        self._resting: dict[str, tuple[float, float]] = {}  # queue: until, length of the rest

    def offer(self, notices: Sequence[Notice]) -> None:
        """Take the fast path with what was just committed; what does not fit waits for the sweep."""
        if slow := self._slow_queues:
            notices = [notice for notice in notices if notice.job.queue not in slow]
        if notices and self._bus.is_up and self._open < OFFERED_MAX:
            for notice in notices:
                self._offered.setdefault(notice.job.queue, deque()).append(notice)
            self._open += len(notices)
            self._in_flight.update(notice.row for notice in notices)
            self._idle.clear()
            self._wake.set()

    @property
    def refusing_queues(self) -> frozenset[str]:
        """The queues that took no parcel when they were last tried."""
        now = asyncio.get_running_loop().time()
        return frozenset(queue for queue, (until, _) in self._resting.items() if until > now)

    @property
    def _slow_queues(self) -> frozenset[str]:
        long_ago = asyncio.get_running_loop().time() - SLOW_AFTER_S
        return frozenset(queue for queue, since in self._out.items() if since < long_ago)

    async def run(self) -> None:
        """Publish what is offered, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_forgetting())
            while True:
                await self._wake.wait()
                self._wake.clear()
                for queue, offered in self._next_round():
                    tasks.create_task(self._round(queue, offered))

    def _next_round(self) -> Sequence[tuple[str, Sequence[Notice]]]:
        """Take what is offered by now of the queues that have nothing on their way, up to a round of each."""
        now = asyncio.get_running_loop().time()
        taken: list[tuple[str, Sequence[Notice]]] = []
        for queue in [each for each in self._offered if each not in self._out]:
            waiting = self._offered[queue]
            taken.append((queue, [waiting.popleft() for _ in range(min(len(waiting), ROUND_MAX))]))
            self._out[queue] = now
            if not waiting:
                del self._offered[queue]
        return taken

    async def _round(self, queue: str, offered: Sequence[Notice]) -> None:
        told = await self._send(offered) if queue not in self.refusing_queues else ()
        del self._out[queue]
        if queue in self._offered:
            self._wake.set()
        self._told += told
        self._has_told.set()
        if len(self._told) >= FORGET_AT_ONCE:
            self._hurries.set()
        rows = {notice.row for notice in told}
        self._are_done([notice for notice in offered if notice.row not in rows])

    async def _keep_forgetting(self) -> None:
        """Forget what was confirmed, in few statements."""
        while True:
            await self._has_told.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(FORGET_AFTER_S):
                    await self._hurries.wait()
            self._has_told.clear()
            self._hurries.clear()
            if told := self._told:
                self._told = []
                await self._forget(told)
                self._are_done(told)

    def _are_done(self, notices: Sequence[Notice]) -> None:
        """Leave rows to the sweep, or to nobody, if they are gone."""
        self._in_flight.difference_update(notice.row for notice in notices)
        self._open -= len(notices)
        if not self._open:
            self._idle.set()

    async def drained(self, *, within_s: float) -> None:
        """Wait until everything offered so far was tried, or the time is over."""
        self._hurries.set()
        with suppress(TimeoutError):  # the rows are still in the outbox
            async with asyncio.timeout(within_s):
                await self._idle.wait()

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
            without=self.refusing_queues | self._slow_queues,
            unattended=unattended,
        )
        return await self._publish([notice for notice in notices if notice.row not in self._in_flight])

    async def _publish(self, notices: Sequence[Notice]) -> int:
        """Publish and forget; return how many were confirmed."""
        told = await self._send(notices)
        if told:
            await self._forget(told)
        return len(told)

    async def _send(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """Publish; return those that were confirmed."""
        now = self._clock.now()
        packed = list(pack(notices, now=now, jobs_max=self._parcel_jobs, fair=self._fair))
        if not packed:
            return ()
        outcomes = await self._bus.publish([each.parcel for each in packed])
        confirmed: list[PackedParcel] = []
        for each, outcome in zip(packed, outcomes, strict=True):
            queue = each.notices[0].job.queue
            if outcome is PublishOutcome.CONFIRMED:
                confirmed.append(each)
                self._resting.pop(queue, None)
            elif outcome is not PublishOutcome.UNKNOWN:
                self._rest(queue, outcome)
        return list(chain.from_iterable(each.notices for each in confirmed))

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
