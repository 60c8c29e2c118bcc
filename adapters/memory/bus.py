"""The in-process bus: the embedded default, and a broker that tests can plague."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from attrs import Factory, define, field

from jobmill.adapters.memory.broker import MemoryBroker
from jobmill.adapters.memory.subscription import Subscription
from jobmill.application.errors import BrokerUnavailable
from jobmill.application.fair_queues import NONE_FAIR, FairQueues
from jobmill.application.ports.dead_copies import DeadCopies, Judge
from jobmill.application.ports.message_bus import Delivery, Lane, MessageBus, Parcel, PublishOutcome

#: Called with "before" and "after" for every parcel. An outcome that it returns is what the publisher is
#: told: before, the parcel was not taken; after, it was.
PublishFaults = Callable[[str, Parcel], PublishOutcome | None]


def no_publish_faults(_moment: str, _parcel: Parcel) -> PublishOutcome | None:
    """Let every parcel pass."""
    return None


@define(kw_only=True, eq=False)
class MemoryBus(MessageBus, DeadCopies):
    """One connection to a broker inside this process.

    Args:
        queues: the queues of the broker, where it is this bus's own.
        fair: those of them whose lanes have shares.
        broker: the broker, to be shared by several buses, as workers share one; by default an own one.
        faults: lets publishing go wrong; see ``PublishFaults``.
    """

    queues: Collection[str] = ()
    fair: FairQueues = NONE_FAIR
    broker: MemoryBroker = Factory(
        lambda self: MemoryBroker(queues=self.queues, fair=self.fair), takes_self=True
    )
    faults: PublishFaults = no_publish_faults
    _is_up: bool = field(init=False, default=True)
    _subscriptions: dict[Subscription, None] = field(init=False, factory=dict)

    @property
    def is_up(self) -> bool:
        """True unless a test has cut the connection."""
        return self._is_up

    async def publish(self, parcels: Sequence[Parcel]) -> Sequence[PublishOutcome]:
        """Take the parcels at once; the answer comes a turn of the loop later."""
        outcomes = [self._publish(parcel) for parcel in parcels]
        await asyncio.sleep(0)
        return outcomes

    @asynccontextmanager
    async def consume(self, lane: Lane, *, prefetch: int) -> AsyncGenerator[AsyncIterator[Delivery]]:
        """Receive from a lane; where it does not exist, wait until it does."""
        subscription = Subscription(
            lane=lane, prefetch=prefetch, broker=self.broker, is_up=lambda: self._is_up
        )
        self._subscriptions[subscription] = None
        self._drop_ended()
        try:
            yield subscription
        finally:
            subscription.end()

    async def depths(self, lanes: Sequence[Lane]) -> Mapping[Lane, int | None]:
        """Count what is ready."""
        self._require_up()
        lines = {lane: self.broker.line(lane) for lane in lanes}
        return {lane: len(line.ready) if line.exists else None for lane, line in lines.items()}

    async def epoch(self) -> str | None:
        """Return the marker, None at the start of every process."""
        self._require_up()
        return self.broker.epoch

    async def mark_epoch(self, epoch: str) -> None:
        """Replace the marker."""
        self._require_up()
        self.broker.epoch = epoch

    async def count_copies(self, queues: Sequence[str]) -> Mapping[str, int | None]:
        """Count what lies there."""
        self._require_up()
        dead = self.broker.dead
        return {queue: len(dead[queue]) if queue in dead else None for queue in queues}

    async def sift(self, queue: str, *, limit: int, judge: Judge) -> int:
        """Take from the left, put back to the right."""
        self._require_up()
        line = self.broker.dead.get(queue, deque())
        taken = [line.popleft() for _ in range(min(limit, len(line)))]
        try:
            wanted = await judge([parcel.body for parcel in taken])
        except BaseException:
            line.extendleft(reversed(taken))
            raise
        line.extend(parcel for parcel, stays in zip(taken, wanted, strict=True) if stays)
        return len(taken)

    def disconnect(self) -> None:
        """Cut the connection: what this bus holds comes back to its lane, and its answers count nothing."""
        self._is_up = False
        for subscription in tuple(self._subscriptions):
            self.broker.redeliver(subscription.held)
            subscription.wake()

    def reconnect(self) -> None:
        """End the cut; subscriptions go on."""
        self._is_up = True
        for subscription in self._subscriptions:
            subscription.wake()

    def close(self) -> None:
        """End for good, with the broker's timers."""
        self.disconnect()
        self.broker.stop()

    def redeliver_everything(self) -> None:
        """Let every message come again that any bus of the broker holds unanswered."""
        self.broker.redeliver(self.broker.held)

    def _publish(self, parcel: Parcel) -> PublishOutcome:
        if not self._is_up:
            return PublishOutcome.REFUSED
        outcome = self.faults("before", parcel)
        if outcome is not None:
            return outcome
        taken = self.broker.take(parcel)
        return self.faults("after", parcel) or taken

    def _require_up(self) -> None:
        if not self._is_up:
            raise BrokerUnavailable("the connection to the in-process broker is cut")

    def _drop_ended(self) -> None:
        """Forget subscriptions that are over and hold nothing any more."""
        for subscription in tuple(self._subscriptions):
            if subscription.is_over:
                del self._subscriptions[subscription]
