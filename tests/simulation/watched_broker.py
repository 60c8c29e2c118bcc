"""The broker with a witness: it knows where every notice is, and judges each acknowledgement."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from attrs import define, field

from jobmill.adapters.memory import MemoryBroker
from jobmill.adapters.memory.message import Held, Message
from jobmill.application.codec.parcels import FutureParcel, UnreadableParcel, open_parcel
from jobmill.application.ports.message_bus import Parcel, PublishOutcome, ToDead
from jobmill.domain.transition import Fence

#: Beside one copy for each fault: the notice itself, and its double while it is being sent back.
COPIES_AT_REST: Final = 2


@define(kw_only=True, eq=False)
class WatchedBroker(MemoryBroker):
    """A broker of the simulation; ``judge_ack`` and ``judge_copies`` are the laws that it is held against."""

    judge_ack: Callable[[Fence], None] = field(init=False, default=lambda _fence: None)
    judge_copies: Callable[[Fence, int], None] = field(init=False, default=lambda _fence, _count: None)
    #: How often each version was taken from a publisher.
    taken: Counter[Fence] = field(init=False, factory=Counter)
    #: Every body that ever came, for ghosts.
    bodies: list[Message] = field(init=False, factory=list)
    #: Messages that are held up on their way.
    late: list[Message] = field(init=False, factory=list)
    is_losing: bool = field(init=False, default=False)
    _opened: dict[bytes, tuple[Fence, ...]] = field(init=False, factory=dict)

    def take(self, parcel: Parcel) -> PublishOutcome:
        outcome = MemoryBroker.take(self, parcel)
        if outcome is PublishOutcome.CONFIRMED:
            fences = self.fences_in(parcel.body)
            self.taken.update(fences)
            if not isinstance(parcel.destination, ToDead):
                self.bodies.append(self._message(parcel, parcel.destination.lane))
                copies = self.copies()
                for fence in fences:
                    self.judge_copies(fence, copies[fence])
        return outcome

    def settle(self, held: Held, *, back: bool) -> None:
        counts = held in self.held
        MemoryBroker.settle(self, held, back=back)
        if counts and not back and not self.is_losing:
            for fence in self.fences_in(held.message.body):
                self.judge_ack(fence)

    def lose_everything(self) -> None:
        self.is_losing = True
        self.late.clear()
        try:
            MemoryBroker.lose_everything(self)
        finally:
            self.is_losing = False

    @property
    def messages(self) -> Iterable[Message]:
        """Everything on its way to a worker."""
        for line in self._lines.values():
            yield from line.ready
        for held in self.held:
            yield held.message
        yield from self.ladder.messages
        yield from self.late

    def copies(self) -> Counter[Fence]:
        """Count the notices of each version."""
        found: Counter[Fence] = Counter()
        for message in self.messages:
            found.update(self.fences_in(message.body))
        return found

    def most_copies(self) -> int:
        """Return how many notices there are of the version that has most."""
        return max(self.copies().values(), default=0)

    def fences_in(self, body: bytes) -> tuple[Fence, ...]:
        """Return the versions that a parcel speaks of; none where it cannot be read."""
        found = self._opened.get(body)
        if found is None:
            try:
                found = tuple(job.fence for job in open_parcel(body).jobs)
            except (UnreadableParcel, FutureParcel):
                found = ()
            self._opened[body] = found
        return found
