"""How many calls there were of late, and how many of them failed: counts by slots of time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Self

from attrs import frozen

SLOT: Final = timedelta(seconds=5)
#: A clock elsewhere may be so many slots ahead of ours.
_AHEAD_MAX: Final = 1


@frozen(kw_only=True)
class Slot:
    """What fell into one slot.

    Args:
        number: slots of ``SLOT`` since 1970.
        calls: all of them, the failed ones included.
    """

    number: int
    calls: int
    failures: int


@frozen(kw_only=True)
class CallWindow:
    """Counts of calls, oldest slot first; a slot without calls is not there."""

    slots: tuple[Slot, ...] = ()

    @classmethod
    def of(cls, *, calls: int, failures: int, now: datetime) -> Self:
        """Return calls that ended now, some of which failed."""
        return cls._merged([Slot(number=_number(now), calls=calls, failures=failures)])

    @property
    def calls(self) -> int:
        """How many calls ended, all slots together."""
        return sum(slot.calls for slot in self.slots)

    @property
    def failures(self) -> int:
        """How many of them failed."""
        return sum(slot.failures for slot in self.slots)

    def plus(self, other: "CallWindow") -> "CallWindow":
        """Return both together."""
        return self._merged([*self.slots, *other.slots])

    def minus(self, other: "CallWindow") -> "CallWindow":
        """Return what is left without ``other``, which is a part of this."""
        taken = [Slot(number=slot.number, calls=-slot.calls, failures=-slot.failures) for slot in other.slots]
        return self._merged([*self.slots, *taken])

    def last(self, span: timedelta, *, now: datetime) -> "CallWindow":
        """Return what is younger than ``span``, up to a slot less: what is older never counts."""
        newest = _number(now)
        oldest = newest - span // SLOT + 1
        return CallWindow(
            slots=tuple(slot for slot in self.slots if oldest <= slot.number <= newest + _AHEAD_MAX)
        )

    @classmethod
    def _merged(cls, slots: Iterable[Slot]) -> Self:
        sums: dict[int, tuple[int, int]] = {}
        for slot in slots:
            calls, failures = sums.get(slot.number, (0, 0))
            sums[slot.number] = (calls + slot.calls, failures + slot.failures)
        return cls(
            slots=tuple(
                Slot(number=number, calls=calls, failures=failures)
                for number, (calls, failures) in sorted(sums.items())
                if calls > 0
            )
        )


def _number(moment: datetime) -> int:
    return int(moment.timestamp() // SLOT.total_seconds())
