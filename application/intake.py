"""What a worker has received and not yet started, lane by lane."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import timedelta

from jobmill.application.holding import Holding
from jobmill.application.ports.message_bus import Delivery, Lane, MessageBus
from jobmill.application.receiver import Receiver
from jobmill.domain.job import Job

Spawn = Callable[[Coroutine[object, object, None]], None]


class Intake:
    """Reads lanes while it is open and keeps what came until it is taken.

    Args:
        prefetch: parcels per lane that may be in hand unanswered.
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
        spawn: Spawn,
        arrived: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._receiver = receiver
        self._prefetch = prefetch
        self._ack_deadline = ack_deadline
        self._spawn = spawn
        self._arrived = arrived
        self._held: dict[Lane, deque[Holding]] = {lane: deque() for lane in lanes}
        self._readers: list[asyncio.Task[None]] = []
        self._is_over = False

    @property
    def is_open(self) -> bool:
        """The lanes are being read."""
        return bool(self._readers)

    @property
    def is_empty(self) -> bool:
        """Nothing waits here."""
        return not any(self._held.values())

    def waiting(self) -> dict[Lane, int]:
        """Count the jobs that could be started, by lane."""
        return {lane: sum(len(one.todo) for one in held) for lane, held in self._held.items() if held}

    def holdings(self) -> Iterator[Holding]:
        """Go through what waits."""
        return (holding for held in self._held.values() for holding in list(held))

    def open(self) -> None:
        """Begin to read the lanes."""
        if not self._readers and not self._is_over:
            self._readers = [
                asyncio.create_task(self._read(lane), name=f"reading {lane}") for lane in self._held
            ]

    async def close(self) -> None:
        """Read no more. What came and was not opened yet goes back by itself."""
        readers, self._readers = self._readers, []
        for reader in readers:
            reader.cancel()
        if readers:
            await asyncio.wait(readers)

    async def end(self) -> None:
        """Close for good: what is still being opened goes back too."""
        self._is_over = True
        await self.close()

    def take(self, lane: Lane, count: int) -> Iterator[tuple[Holding, list[Job]]]:
        """Take up to ``count`` jobs of a lane, oldest first, with the delivery each group came in."""
        held = self._held[lane]
        while count > 0 and held:
            jobs = held[0].take(count)
            count -= len(jobs)
            yield held[0], jobs
            if not held[0].todo:
                held.popleft()

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

    async def _read(self, lane: Lane) -> None:
        async with self._bus.consume(lane, prefetch=self._prefetch) as deliveries:
            async for delivery in deliveries:
                self._spawn(self._receive(delivery, lane))

    async def _receive(self, delivery: Delivery, lane: Lane) -> None:
        jobs = await self._receiver.open(delivery, source=str(lane))
        if jobs is None:
            return
        holding = Holding(delivery, lane=lane, jobs=jobs, ack_deadline=self._ack_deadline)
        if holding.is_answered:
            return
        if self._is_over:
            holding.release()
            return
        self._held[lane].append(holding)
        self._arrived()
