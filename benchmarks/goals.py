"""The goals: what a run has to show, as ratios of figures of the same run wherever that is possible."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from attrs import frozen

from benchmarks.arithmetic import ratio
from benchmarks.samples import Figure

_RABBIT_PEERS: Final = ("dramatiq-threads", "dramatiq-gevent", "taskiq", "faststream")
_PEERS: Final = ("celery", *_RABBIT_PEERS, "pgqueuer", "procrastinate")
_PERSISTING: Final = ("pgqueuer", "procrastinate")

Number = float | None


class Table:
    """The figures of a run, to be looked up; what is missing or refused is None."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures: Mapping[tuple[str, str, str], Figure] = {
            (each.measure, each.contender, each.case): each for each in figures
        }

    def figure(self, measure: str, contender: str, case: str = "") -> Figure | None:
        return self._figures.get((measure, contender, case))

    def value(self, measure: str, contender: str, case: str = "") -> Number:
        found = self.figure(measure, contender, case)
        return found.value if found else None

    def more(self, name: str, measure: str, contender: str, case: str = "") -> Number:
        found = self.figure(measure, contender, case)
        return found.more.get(name) if found and found.value is not None else None

    def best(self, measure: str, contenders: Sequence[str], case: str, *, lowest: bool = False) -> Number:
        """Return the best figure among several contenders."""
        values = [value for each in contenders if (value := self.value(measure, each, case)) is not None]
        return (min if lowest else max)(values, default=None)


@frozen(kw_only=True)
class Goal:
    """One goal.

    Args:
        at_least: the number must not be below ``bound``; otherwise it must not be above it.
        number: what is compared; None where the run does not have it.
    """

    text: str
    bound: float
    at_least: bool
    number: Callable[[Table], Number]
    unit: str = "×"

    def verdict(self, table: Table) -> "Verdict":
        return Verdict(goal=self, number=self.number(table))


@frozen(kw_only=True)
class Verdict:
    """Whether a goal is met."""

    goal: Goal
    number: Number

    @property
    def is_met(self) -> bool | None:
        """None where the run cannot tell."""
        if self.number is None:
            return None
        return self.number >= self.goal.bound if self.goal.at_least else self.number <= self.goal.bound


def _over(measure: str, peers: Sequence[str], case: str) -> Callable[[Table], Number]:
    return lambda table: ratio(table.value(measure, "jobmill", case), table.best(measure, peers, case))


def _value(measure: str, case: str = "") -> Callable[[Table], Number]:
    return lambda table: table.value(measure, "jobmill", case)


def _more(name: str, measure: str, case: str = "") -> Callable[[Table], Number]:
    return lambda table: table.more(name, measure, "jobmill", case)


def _latency_over_best(case: str) -> Callable[[Table], Number]:
    return lambda table: ratio(
        table.value("latency", "jobmill", case), table.best("latency", _PERSISTING, case, lowest=True)
    )


def _tail(case: str) -> Callable[[Table], Number]:
    return lambda table: ratio(
        table.more("p99", "latency", "jobmill", case), table.value("latency", "jobmill", case)
    )


def _share(measure: str, case: str, of: str) -> Callable[[Table], Number]:
    return lambda table: ratio(table.value(measure, "jobmill", case), table.value(measure, "jobmill", of))


def _at_least(text: str, bound: float, number: Callable[[Table], Number], unit: str = "×") -> Goal:
    return Goal(text=text, bound=bound, at_least=True, number=number, unit=unit)


def _at_most(text: str, bound: float, number: Callable[[Table], Number], unit: str = "×") -> Goal:
    return Goal(text=text, bound=bound, at_least=False, number=number, unit=unit)


_SMALL_BACKLOG: Final = "backlog 10,000"

GOALS: Final[Sequence[Goal]] = (
    _at_least("drain, one worker, over Celery", 10, _over("drain", ("celery",), "1 worker")),
    _at_least(
        "drain, over the fastest of FastStream, Taskiq, Dramatiq",
        5,
        _over("drain", _RABBIT_PEERS, "1 worker"),
    ),
    _at_least("drain, over PgQueuer with batches of 500", 1.5, _over("drain", ("pgqueuer",), "1 worker")),
    _at_least("submitting singly, over the fastest peer", 5, _over("submit", _PEERS, "single")),
    _at_least("HTTP, one job a request, over the floor", 0.7, _share("http", "single", "floor")),
    _at_least("HTTP batches", 8_000, _value("http", "batches of 1000"), "jobs/s"),
    _at_most("latency at 20/s, p50, over the best peer that keeps jobs", 1, _latency_over_best("20/s")),
    _at_most("latency at 20/s, p99 over p50", 3, _tail("20/s")),
    _at_most("latency at 500/s, p50, over the best peer that keeps jobs", 1, _latency_over_best("500/s")),
    _at_most("latency at 500/s, p99 over p50", 3, _tail("500/s")),
    _at_least("jobs of 500 ms, one worker", 1_800, _value("io"), "jobs/s"),
    _at_most("memory meanwhile", 200, _more("peak_mb", "io"), "MB"),
    _at_least(
        "drain at a backlog of 1,000,000, over 10,000",
        0.85,
        _share("growth", "backlog 1,000,000", _SMALL_BACKLOG),
    ),
    _at_least(
        "drain beside 10,000,000 finished jobs, over none",
        0.85,
        _share("growth", "finished jobs 10,000,000", "finished jobs 0"),
    ),
    _at_most("an idle worker", 1, _value("idle"), "% of a core"),
    _at_most("memory of an idle worker", 100, _more("peak_mb", "idle"), "MB"),
    _at_least("embedded, over HTTP, submission to end", 3_000, _value("embedded", "by HTTP"), "jobs/s"),
)


def verdicts(figures: Sequence[Figure]) -> Sequence[Verdict]:
    """Judge all goals by the figures of a run."""
    table = Table(figures)
    return [goal.verdict(table) for goal in GOALS]
