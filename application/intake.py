"""What a worker has received and not yet started, lane by lane."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import timedelta
from functools import partial
from math import ceil
from typing import Final

from jobmill.application.holding import Gate, Holding
from jobmill.application.ports.message_bus import Delivery, Lane, MessageBus
from jobmill.application.ports.observer import Observer
from jobmill.application.receiver import Receiver
from jobmill.domain.job import Job

#: Between the end of a lane's reading and the next try; doubled each time, and forgotten by one that lasts.
_REOPEN_FIRST_S: Final = 1.0
_REOPEN_MAX_S: Final = 60.0
_SHARE_PREFETCH_MIN: Final = 2

Spawn = Callable[[Coroutine[object, object, None]], None]


class Intake:
    """Reads lanes while it is open and keeps what came until it is taken.

    A bus bridges its own troubles, so a reading that ends by itself is a fault of ours: it is said, and the
    lane is read again after a pause.

    Args:
        prefetch: parcels per lane that may be in hand unanswered; a lane's shares have them together, though
            never fewer than two each: one to take from, while the next is on its way.
        spawn: runs a coroutine as a task of the worker's.
        arrived: called when there is something new to take.
    """

    def __init__(
        self,
        *,
        bus: MessageBus,
        lanes: Sequence[Lane],
        receiver: Receiver,
        prefetch: int,
        ack_deadline: timedelta,
        observer: Observer,
        spawn: Spawn,
        arrived: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._receiver = receiver
        shares = Counter((lane.queue, lane.priority) for lane in lanes)
        self._prefetch = {
            lane: max(min(prefetch, _SHARE_PREFETCH_MIN), ceil(prefetch / shares[lane.queue, lane.priority]))
            for lane in lanes
        }
        self._ack_deadline = ack_deadline
        self._observer = observer
        self._spawn = spawn
        self._arrived = arrived
        self._held: dict[Lane, deque[Holding]] = {lane: deque() for lane in lanes}
        self._unanswered: dict[Lane, set[Holding]] = {lane: set() for lane in lanes}
        self._readers: dict[Lane, asyncio.Task[None]] = {}
        self._is_over = False

    @property
    def is_open(self) -> bool:
        """The lanes are being read."""
        return bool(self._readers)

    def waiting(self, gate: Gate) -> dict[Lane, int]:
        """Count the jobs that could be started, by lane, where each is looked at by itself."""
        counts = {lane: sum(one.waiting(gate) for one in held) for lane, held in self._held.items()}
        return {lane: count for lane, count in counts.items() if count}

    def holdings(self) -> Iterator[Holding]:
        """Go through what waits."""
        return (holding for held in self._held.values() for holding in list(held))

    def open(self) -> None:
        """Begin to read the lanes."""
        if not self._readers and not self._is_over:
            for lane in self._held:
                self._begin_to_read(lane, after_s=0.0)

    async def close(self) -> None:
        """Read no more. What came and was not opened yet goes back by itself."""
        readers, self._readers = self._readers, {}
        for reader in readers.values():
            reader.cancel()
        if readers:
            await asyncio.wait(readers.values())

    async def end(self) -> None:
        """Close for good: what is still being opened goes back too."""
        self._is_over = True
        await self.close()

    def take(self, lane: Lane, count: int, gate: Gate) -> Iterator[tuple[Holding, list[Job]]]:
        """Take up to ``count`` jobs of a lane, oldest first, with the delivery each group came in.

        Those that the gate refuses let others behind them pass.
        """
        for holding in list(self._held[lane]):
            jobs = holding.take(count, gate)
            if not holding.todo:
                self._held[lane].remove(holding)
            if jobs:
                count -= len(jobs)
                yield holding, jobs
            if not count:
                break

    def relieve(self, gate: Gate) -> None:
        """Let more come to a lane that may send no more although nothing of what it sent could start now.

        Where parcels are small and jobs are slow the prefetch is used up long before the slots are. What is
        claimed is then left to its lease at once and not after the ack deadline.
        """
        for lane, unanswered in self._unanswered.items():
            is_full = len(unanswered) >= self._prefetch[lane]
            if is_full and not any(one.waiting(gate) for one in self._held[lane]):
                for holding in tuple(unanswered):
                    holding.leave_to_leases()

    def remove(self, holding: Holding) -> None:
        """Somebody else looks after it from here."""
        self._held[holding.lane].remove(holding)

    def restore(self, holding: Holding) -> None:
        """Something in it waits again."""
        held = self._held[holding.lane]
        if holding not in held:
            held.appendleft(holding)
        self._arrived()

    def release_untouched(self) -> None:
        """Put back every delivery of which nothing was started."""
        for holding in self.holdings():
            if holding.is_untouched:
                self.remove(holding)
                holding.release()

    def _begin_to_read(self, lane: Lane, *, after_s: float) -> None:
        reader = asyncio.create_task(self._read(lane, after_s=after_s), name=f"reading {lane}")
        self._readers[lane] = reader
        began_s = asyncio.get_running_loop().time() + after_s
        reader.add_done_callback(partial(self._reading_ended, lane, began_s, after_s))

    def _reading_ended(
        self, lane: Lane, began_s: float, after_s: float, reader: "asyncio.Task[None]"
    ) -> None:
        if reader.cancelled():
            return  # whoever did that wants no more of it
        error = reader.exception()
        if self._readers.get(lane) is not reader:
            return  # it was closed meanwhile
        lasted_s = asyncio.get_running_loop().time() - began_s
        pause_s = _REOPEN_FIRST_S if lasted_s >= _REOPEN_MAX_S else 2 * after_s or _REOPEN_FIRST_S
        pause_s = min(pause_s, _REOPEN_MAX_S)
        reason = "the deliveries ended" if error is None else repr(error)
        self._observer.noted("lane is no longer read", lane=str(lane), reason=reason, retry_s=pause_s)
        self._begin_to_read(lane, after_s=pause_s)

    async def _read(self, lane: Lane, *, after_s: float) -> None:
        await asyncio.sleep(after_s)
        async with self._bus.consume(lane, prefetch=self._prefetch[lane]) as deliveries:
            async for delivery in deliveries:
                self._spawn(self._receive(delivery, lane))

    async def _receive(self, delivery: Delivery, lane: Lane) -> None:
        jobs = await self._receiver.open(delivery, source=str(lane))
        if jobs is None:
            return
        unanswered = self._unanswered[lane]
        holding = Holding(
            delivery, lane=lane, jobs=jobs, ack_deadline=self._ack_deadline, answered=unanswered.discard
        )
        if holding.is_answered:
            return
        unanswered.add(holding)
        if self._is_over:
            holding.release()
            return
        self._held[lane].append(holding)
        self._arrived()
