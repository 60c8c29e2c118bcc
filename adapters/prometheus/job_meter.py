"""Counts what happens to jobs, by what the observer of the process hears: nobody else counts."""

import threading
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from attrs import define, field

from jobmill.adapters.prometheus.spread import Spread
from jobmill.application.ports.observer import Observer
from jobmill.application.step_watch import BLOCKED
from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState
from jobmill.domain.transition import Transition

#: Pairs of type and queue, and names of events, that are told apart; the rest counts under ``OTHER``.
KINDS_MAX: Final = 200
EVENTS_MAX: Final = 200
OTHER: Final = "other"

K = TypeVar("K")


@define(eq=False)
class KindCounts:
    """What is counted of the jobs of one type in one queue.

    Args:
        facts: how often each happened.
        attempts: how long attempts took whose end their own worker told.
        completions: how long succeeded jobs took since they were submitted, or due.
    """

    facts: dict[Fact, int] = field(factory=dict)
    attempts: Spread = field(factory=Spread)
    completions: Spread = field(factory=Spread)


class JobMeter(Observer):
    """Counts, and says nothing. Cheap: about a microsecond for all that happens to one job."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], KindCounts] = {}
        self._events: dict[str, int] = {}
        self._blocked: dict[str, Spread] = {}
        self._lock = threading.Lock()  # some events come from threads

    @property
    def kinds(self) -> Mapping[tuple[str, str], KindCounts]:
        """By type and queue."""
        return self._kinds

    @property
    def events(self) -> Mapping[str, int]:
        """How often each event of the machinery was noted."""
        with self._lock:
            return dict(self._events)

    @property
    def blocked(self) -> Mapping[str, Spread]:
        """For how long handlers held up the event loop, by type."""
        with self._lock:
            return dict(self._blocked)

    def submitted(self, jobs: Sequence[Job]) -> None:
        """Count new jobs."""
        for job in jobs:
            kind = self._kinds.get((job.type, job.queue)) or self._new_kind(job)
            kind.facts[Fact.SUBMITTED] = kind.facts.get(Fact.SUBMITTED, 0) + 1

    def moved(self, transitions: Sequence[Transition]) -> None:
        """Count moves, and how long what ended by them took."""
        for move in transitions:
            job, fact = move.job, move.fact
            kind = self._kinds.get((job.type, job.queue)) or self._new_kind(job)
            kind.facts[fact] = kind.facts.get(fact, 0) + 1
            if fact is not Fact.STARTED and move.before.state is JobState.PROCESSING:
                _measure(move, kind)

    def noted(self, event: str, **fields: object) -> None:
        """Count an event of the machinery; of a handler that held up the loop, for how long."""
        with self._lock:
            known = _known(event, self._events, EVENTS_MAX, OTHER)
            self._events[known] = self._events.get(known, 0) + 1
            if event == BLOCKED:
                kind = _known(str(fields["type"]), self._blocked, KINDS_MAX, OTHER)
                self._blocked.setdefault(kind, Spread()).add(float(str(fields["seconds"])))

    def _new_kind(self, job: Job) -> KindCounts:
        kind = _known((job.type, job.queue), self._kinds, KINDS_MAX, (OTHER, OTHER))
        return self._kinds.setdefault(kind, KindCounts())


def _known(key: K, counted: Mapping[K, object], at_most: int, other: K) -> K:
    """Return under what is counted: the key itself, while there are not too many."""
    return key if key in counted or len(counted) < at_most else other


def _measure(move: Transition, kind: KindCounts) -> None:
    job, before = move.job, move.before
    lost = move.failure is not None and move.failure.kind is FailureKind.WORKER_LOST
    if before.started_at is not None and not lost:  # when a lost worker ended, nobody knows
        kind.attempts.add((job.updated_at - before.started_at).total_seconds())
    if move.fact is Fact.SUCCEEDED:
        kind.completions.add((job.updated_at - (job.run_at or job.created_at)).total_seconds())
