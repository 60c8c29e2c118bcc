"""A broker inside the process: lanes, the ladder, dead letters, the epoch marker."""

from collections import deque
from collections.abc import Collection
from typing import Final

from attrs import define, evolve, field

from jobmill.adapters.memory.ladder import Ladder
from jobmill.adapters.memory.line import Line
from jobmill.adapters.memory.message import Held, Message
from jobmill.application.fair_queues import NONE_FAIR, FairQueues
from jobmill.application.ports.message_bus import Lane, Parcel, PublishOutcome, ToDead, ToLadder, ToLane
from jobmill.domain.ladder import REACH

#: Beyond so many in a lane, or in the ladder, a parcel is refused and waits in its outbox.
MESSAGES_MAX: Final = 1_000_000
#: A copy for tools; the oldest makes room.
DEAD_LETTERS_MAX: Final = 1_000


@define(kw_only=True, eq=False)
class MemoryBroker:
    """What several buses of one process share. It ends with the process, and loses everything then.

    Beside what a broker does, it can do what a broker must not, for tests: forget and double messages.

    Args:
        queues: those that exist, each with a lane per priority and a place for dead letters.
        fair: those of them whose lanes have shares.
        messages_max: how many messages a lane takes, and how many the ladder.
        dead_letters_max: how many dead letters are kept for each queue, the last ones.
    """

    queues: Collection[str] = ()
    fair: FairQueues = NONE_FAIR
    messages_max: int = MESSAGES_MAX
    dead_letters_max: int = DEAD_LETTERS_MAX
    epoch: str | None = field(init=False, default=None)
    dead: dict[str, deque[Parcel]] = field(init=False, factory=dict)
    #: Handed out and not answered, in the order of handing out.
    held: dict[Held, None] = field(init=False, factory=dict)
    ladder: Ladder = field(init=False)
    _lines: dict[Lane, Line] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        """Declare the queues."""
        self.ladder = Ladder(arrive=self._arrive)
        for queue in self.queues:
            self.add_queue(queue)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes that are declared."""
        return tuple(lane for lane, line in self._lines.items() if line.exists)

    def line(self, lane: Lane) -> Line:
        """Return the line of a lane; of one that is not declared, a line where nothing comes."""
        line = self._lines.get(lane)
        if line is None:
            line = self._lines[lane] = Line(exists=False)
        return line

    def add_queue(self, queue: str) -> None:
        """Declare a queue; harmless when repeated."""
        self.dead.setdefault(queue, deque(maxlen=self.dead_letters_max))
        for lane in self.fair.lanes_of(queue):
            self.line(lane).exists = True

    def drop_queue(self, queue: str) -> None:
        """Delete a queue with all that is ready in it."""
        self.dead.pop(queue, None)
        for lane in self.fair.lanes_of(queue):
            self.line(lane).exists = False
            self.line(lane).ready.clear()

    def take(self, parcel: Parcel) -> PublishOutcome:
        """Take a parcel to where it goes, or say why not."""
        match parcel.destination:
            case ToLane(lane=lane):
                return self._take(self._message(parcel, lane))
            case ToLadder(lane=lane, delay=delay):
                if delay > REACH or not self.line(lane).exists:
                    return PublishOutcome.UNROUTABLE
                if len(self.ladder) >= self.messages_max:
                    return PublishOutcome.REFUSED
                self.ladder.hold(self._message(parcel, lane), delay)
                return PublishOutcome.CONFIRMED
            case ToDead(queue=queue):
                if queue not in self.dead:
                    return PublishOutcome.UNROUTABLE
                self.dead[queue].append(parcel)
                return PublishOutcome.CONFIRMED

    def hand_out(self, held: Held) -> None:
        """Remember who has a message."""
        self.held[held] = None

    def settle(self, held: Held, *, back: bool) -> None:
        """Drop a message that was handed out, or put it back; an answer too late counts nothing."""
        if held in self.held:
            del self.held[held]
            if back and self.line(held.message.lane).exists:
                self.line(held.message.lane).put_back(held.message)
            held.freed(held)

    def redeliver(self, which: Collection[Held]) -> None:
        """Put back what was handed out, in its old order; answers to it count nothing from now on."""
        for held in reversed(list(which)):
            self.settle(held, back=True)

    def drop(self, lane: Lane) -> bool:
        """Lose the next message of a lane; False where none is ready."""
        ready = self.line(lane).ready
        if not ready:
            return False
        ready.popleft()
        return True

    def double_everything(self) -> None:
        """Send a copy of every message, wherever it is, to the end of its lane."""
        ready = [message for line in self._lines.values() for message in line.ready]
        held = [held.message for held in self.held]
        for message in (*ready, *held, *self.ladder.messages):
            self._arrive(evolve(message))

    def lose_everything(self) -> None:
        """Forget all messages and the marker; the queues stay. What was handed out cannot come back."""
        self.stop()
        self.epoch = None
        for line in self._lines.values():
            line.ready.clear()
        for letters in self.dead.values():
            letters.clear()
        for held in tuple(self.held):
            self.settle(held, back=False)

    def stop(self) -> None:
        """Forget what waits in the ladder, so that no timer outlives its broker."""
        for message in self.ladder.messages:
            self.ladder.drop(message)

    def _take(self, message: Message) -> PublishOutcome:
        line = self.line(message.lane)
        if not line.exists:
            return PublishOutcome.UNROUTABLE
        if len(line.ready) >= self.messages_max:
            return PublishOutcome.REFUSED
        line.put(message)
        return PublishOutcome.CONFIRMED

    def _arrive(self, message: Message) -> None:
        line = self.line(message.lane)
        if line.exists:
            line.put(message)

    def _message(self, parcel: Parcel, lane: Lane) -> Message:
        return Message(
            lane=lane, body=parcel.body, content_type=parcel.content_type, headers=dict(parcel.headers)
        )
