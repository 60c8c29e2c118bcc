"""How durations are spread over the buckets of a histogram."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

#: From what a handler takes that only writes to memory to what a job waits behind a backlog, in seconds.
BOUNDS_S: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0),
)


class Spread:
    """Counts durations by the first bound that is not below them."""

    __slots__ = ("_counts", "sum_s")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one; a clock that was set back makes none that is below 0."""
        if seconds > 0.0:
            self.sum_s += seconds
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1

    @property
    def count(self) -> int:
        """All that were counted."""
        return sum(self._counts)

    @property
    def buckets(self) -> Sequence[tuple[str, float]]:
        """Each bound as it is written, with the number of those that are not above it."""
        return list(zip(_names(), map(float, accumulate(self._counts)), strict=True))


def _names() -> Iterator[str]:
    yield from (str(bound) for bound in BOUNDS_S)
    yield "+Inf"
