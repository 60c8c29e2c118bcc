"""Where each job lies on its way to a worker, as the broker sees it: no worker is asked."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from attrs import define, field, frozen

from jobmill.adapters.memory import MemoryBroker
from jobmill.adapters.memory.message import Held, Message
from jobmill.application.codec.parcels import UnreadableParcel, open_parcel
from jobmill.application.ports.message_bus import Parcel, PublishOutcome, ToLane
from jobmill.domain.states import JobState

from tests.nodes import NODE, Node
from tests.world import World

#: Jobs that find no slot for so long go back; see `Consumer`.
HOLD_S: Final = 1.0


@frozen(kw_only=True)
class Waits:
    """Jobs that a worker holds and has not begun."""

    node: Node
    ids: tuple[UUID, ...]
    for_s: float


@define(kw_only=True, eq=False)
class CountingBroker(MemoryBroker):
    """Remembers which messages came and who has which. Messages without jobs, as barriers, do not count."""

    #: How many jobs each message had that came into a lane.
    sizes: list[int] = field(init=False, factory=list)
    #: How often a message with jobs was handed to a worker.
    deliveries: int = field(init=False, default=0)
    #: How often each job was announced in a lane.
    announced: Counter[UUID] = field(init=False, factory=Counter)
    _bodies: dict[bytes, tuple[UUID, ...]] = field(init=False, factory=dict)
    _last: dict[UUID, bytes] = field(init=False, factory=dict)
    _holders: dict[Held, tuple[Node, float]] = field(init=False, factory=dict)

    def take(self, parcel: Parcel) -> PublishOutcome:
        if ids := self._ids_in(parcel.body):
            assert isinstance(parcel.destination, ToLane)
            self.sizes.append(len(ids))
            self.announced.update(ids)
            self._last.update(dict.fromkeys(ids, parcel.body))
        return MemoryBroker.take(self, parcel)

    def hand_out(self, held: Held) -> None:
        node = NODE.get()
        assert node is not None
        self.deliveries += bool(self._ids_in(held.message.body))
        self._holders[held] = (node, asyncio.get_running_loop().time())
        MemoryBroker.hand_out(self, held)

    @property
    def messages_ready(self) -> int:
        """How many messages with jobs nobody holds."""
        ready = (message for line in self._lines.values() for message in line.ready)
        return sum(bool(self._ids_in(message.body)) for message in ready)

    def waits(self, world: World) -> Iterator[Waits]:
        """What workers hold and have not begun; what they sent back is not theirs any more."""
        now_s = asyncio.get_running_loop().time()
        for held in self.held:
            node, since_s = self._holders[held]
            ids = tuple(each for each in self._lie_in(held.message) if _waits(world, each))
            if ids:
                yield Waits(node=node, ids=ids, for_s=now_s - since_s)

    def _lie_in(self, message: Message) -> Iterator[UUID]:
        """Its jobs that have come with no later message."""
        return (each for each in self._ids_in(message.body) if self._last[each] == message.body)

    def _ids_in(self, body: bytes) -> tuple[UUID, ...]:
        found = self._bodies.get(body)
        if found is None:
            try:
                found = tuple(job.id for job in open_parcel(body).jobs)
            except UnreadableParcel:  # a barrier, which holds no jobs
                found = ()
            self._bodies[body] = found
        return found


def slots_used(world: World) -> Counter[str]:
    """How many handlers run on each worker, by its name."""
    return Counter(ran.node.name for ran in world.runs if ran.node is not None and ran.is_believed)


def _waits(world: World, job_id: UUID) -> bool:
    return world.tables.jobs[job_id].state is JobState.QUEUED
