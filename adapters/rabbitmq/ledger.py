"""Which deliveries of one channel are answered, and how to say so with few words."""

from collections.abc import Sequence

from attrs import frozen


@frozen(kw_only=True)
class Answer:
    """One word to the broker.

    Args:
        tag: the delivery, by its number on the channel.
        ack: done with it; otherwise put it back.
        multiple: it goes for all earlier deliveries that were not answered before, too.
    """

    tag: int
    ack: bool
    multiple: bool = False


class Ledger:
    """Keeps count of deliveries. An answer to a delivery that has one, or is unknown, changes nothing."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._acked: set[int] = set()
        self._released: set[int] = set()

    @property
    def unanswered(self) -> int:
        """Deliveries that the broker still counts as held here, as far as we know."""
        return len(self._open) + len(self._acked) + len(self._released)

    @property
    def is_empty(self) -> bool:
        """Every delivery is answered, and every answer was taken."""
        return not (self._open or self._acked or self._released)

    @property
    def is_settled(self) -> bool:
        """Every answer given so far was taken."""
        return not (self._acked or self._released)

    def received(self, tag: int) -> None:
        """Note a delivery."""
        self._open.add(tag)

    def ack(self, tag: int) -> None:
        """Note that a delivery is done with."""
        if tag in self._open:
            self._open.remove(tag)
            self._acked.add(tag)

    def release(self, tag: int) -> None:
        """Note that a delivery goes back."""
        if tag in self._open:
            self._open.remove(tag)
            self._released.add(tag)

    def take(self) -> Sequence[Answer]:
        """Return the answers given since the last time, in the order in which they must be sent.

        What goes back is said first and singly. Then one word acknowledges all below the lowest delivery
        that is still open, since whatever else lies there was answered before; the rest is said singly.
        """
        answers = [Answer(tag=tag, ack=False) for tag in sorted(self._released)]
        acked = sorted(self._acked)
        lowest_open = min(self._open, default=None)
        below = [tag for tag in acked if lowest_open is None or tag < lowest_open]
        if below:
            answers.append(Answer(tag=below[-1], ack=True, multiple=len(below) > 1))
        answers += (Answer(tag=tag, ack=True) for tag in acked[len(below) :])
        self._acked.clear()
        self._released.clear()
        return answers
