"""Medians, percentiles, rates and ratios."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from attrs import frozen

_NS: Final = 1_000_000_000
#: Fewer jobs have no part between a tenth and nine tenths to speak of.
_STEADY_JOBS_MIN: Final = 10


@frozen(kw_only=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Sum up one value or more."""
        return cls(median=median(values), low=min(values), high=max(values), count=len(values))


@frozen(kw_only=True)
class Rates:
    """Jobs per second of a run.

    Args:
        whole: jobs / (last end − first start).
        steady: of the jobs between the first tenth and the last, by the order of their ends; 0 where there
            are too few.
    """

    whole: float
    steady: float


def rates(started_ns: Sequence[int], ended_ns: Sequence[int]) -> Rates:
    """Return the rates of the jobs that ended; times of 0 are of jobs that did not.

    Raises:
        ValueError: fewer than two ended, or none took any time: there is no rate.
    """
    ends = sorted(each for each in ended_ns if each)
    starts = [each for each in started_ns if each]
    if len(ends) <= 1 or not starts or ends[-1] <= min(starts):
        raise ValueError(f"{len(ends)} jobs have no rate")
    whole = len(ends) / ((ends[-1] - min(starts)) / _NS)
    low, high = len(ends) // 10, len(ends) * 9 // 10 - 1
    if len(ends) < _STEADY_JOBS_MIN or ends[high] <= ends[low]:
        return Rates(whole=whole, steady=0.0)
    return Rates(whole=whole, steady=(high - low) / ((ends[high] - ends[low]) / _NS))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of the values do not exceed: one of them, none between two."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * share // 1) - 1))]


def latencies_ms(submitted_ns: Sequence[int], started_ns: Sequence[int]) -> list[float]:
    """Return how long each job waited from its submission to its start; 0 stands for what did not happen."""
    return [
        (start - submit) / 1_000_000
        for submit, start in zip(submitted_ns, started_ns, strict=True)
        if submit and start
    ]


def most_at_once(started_ns: Sequence[int], ended_ns: Sequence[int]) -> int:
    """Return how many jobs ran at the same time at most."""
    moves = [(at, 1) for at in started_ns if at] + [(at, -1) for at in ended_ns if at]
    running = most = 0
    for _, step in sorted(moves):
        running += step
        most = max(most, running)
    return most


def ratio(figure: float | None, other: float | None) -> float | None:
    """Return one figure over another; None where one is missing or nothing."""
    return figure / other if figure is not None and other else None
