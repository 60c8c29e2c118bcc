"""Figures of jobs that were read back, by the times that Jobmill keeps of each."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from jobmill import Job


def percentile(values: Iterable[float], share: float) -> float:
    """The value that this share of them does not exceed; NaN where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def seconds(values: Iterable[float]) -> str:
    """Median and 99th percentile."""
    kept = list(values)
    return f"{percentile(kept, 0.5):.2f} s, p99 {percentile(kept, 0.99):.2f} s"


def to_done(jobs: Iterable[Job]) -> list[float]:
    """Seconds from the submission of each to its end."""
    return [(job.finished_at - job.created_at).total_seconds() for job in jobs if job.finished_at]


def middle_rate(jobs: Sequence[Job]) -> float:
    """How many ended a second, over the middle 80 % of them; NaN where there are fewer than ten."""
    ends = sorted(job.finished_at.timestamp() for job in jobs if job.finished_at)
    tenth = len(ends) // 10
    if not tenth:
        return float("nan")
    first, last = ends[tenth], ends[-tenth]
    return (len(ends) - 2 * tenth) / (last - first)


def most_open(jobs: Iterable[Job]) -> int:
    """The most that were submitted and not yet ended at one moment."""
    kept = list(jobs)
    moves = [(job.created_at, 1) for job in kept]
    moves += [(job.finished_at, -1) for job in kept if job.finished_at]
    most = there = 0
    for _, move in sorted(moves):
        there += move
        most = max(most, there)
    return most


def ended_by(jobs: Iterable[Job], moment: datetime) -> int:
    """How many had ended at that moment."""
    return sum(job.finished_at is not None and job.finished_at <= moment for job in jobs)


def counts(jobs: Iterable[Job], of: Callable[[Job], object]) -> str:
    """How many there are of each, the most frequent first."""
    found: dict[str, int] = {}
    for job in jobs:
        name = str(of(job))
        found[name] = found.get(name, 0) + 1
    return ", ".join(f"{name} {found[name]}" for name in sorted(found, key=lambda name: -found[name]))
