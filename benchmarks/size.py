"""How much a run measures: a full one in about 25 minutes, a quick one in about 5."""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from benchmarks.instruments.growth import Growth


@frozen(kw_only=True)
class Size:
    """Numbers of a run.

    Args:
        repetitions: of the measurements that are compared with peers; ``fewer`` of the longer ones.
        patience: how many disturbed repetitions may be made again in all.
        seconds: for which each is to be measured, about, by its contender's pace.
        rates: for how many seconds latency is measured, by jobs per second.
        idle_s: seconds without work.
        file_lines: of the file that the command line submits.
        growth: the points that are measured, in their order.
        left_out: parts that are measured only where they are asked for.
    """

    name: str
    repetitions: int
    fewer: int
    patience: int
    seconds: float
    rates: Mapping[float, float]
    idle_s: float
    growth: Sequence[Growth]
    file_lines: int = 100_000
    left_out: Sequence[str] = ()

    def jobs(self, pace: int, *, share: float = 1.0) -> int:
        """Return how many jobs take about as long as they should; a hundred at least."""
        return max(100, round(pace * self.seconds * share / 100) * 100)


_SMALL: Final = (
    Growth(curve="backlog", at=10_000),
    Growth(curve="backlog", at=100_000, backlog=100_000),
)
_SIDEWAYS: Final = (
    Growth(curve="payload bytes", at=200),
    Growth(curve="payload bytes", at=2_000, payload_bytes=2_000),
    Growth(curve="payload bytes", at=9_500, payload_bytes=9_500),
    Growth(curve="queues", at=1, queues=1),
    Growth(curve="queues", at=8, queues=8),
    Growth(curve="parcel", at=1, parcel=1, backlog=3_000),
    Growth(curve="parcel", at=50, parcel=50),
)
FULL: Final = Size(
    name="full",
    repetitions=3,
    fewer=2,
    patience=20,
    seconds=5.0,
    rates={20: 15.0, 500: 4.0, 2_000: 3.0},
    idle_s=6.0,
    growth=(
        *_SMALL,
        *_SIDEWAYS,
        Growth(curve="backlog", at=1_000_000, backlog=1_000_000),
        Growth(curve="finished jobs", at=0),
        Growth(curve="finished jobs", at=1_000_000, rows=1_000_000),
        Growth(curve="finished jobs", at=10_000_000, rows=10_000_000),
    ),
)
QUICK: Final = Size(
    name="quick",
    left_out=("batches", "drain2", "idle"),
    repetitions=1,
    fewer=1,
    patience=4,
    seconds=1.0,
    rates={20: 5.0, 500: 2.0},
    idle_s=3.0,
    growth=(
        *_SMALL,
        Growth(curve="finished jobs", at=0),
        Growth(curve="finished jobs", at=100_000, rows=100_000),
    ),
)
TRIAL: Final = Size(
    name="trial",
    repetitions=1,
    fewer=1,
    patience=0,
    seconds=0.1,
    rates={20: 1.0},
    idle_s=1.0,
    file_lines=300,
    growth=(
        Growth(curve="backlog", at=500, backlog=500),
        Growth(curve="finished jobs", at=1_000, backlog=500, rows=1_000),
        Growth(curve="queues", at=8, backlog=500, queues=8),
    ),
)
