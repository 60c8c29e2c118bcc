"""The metrics by name: what each tells, and its samples."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from jobmill.adapters.prometheus.job_meter import JobMeter
from jobmill.adapters.prometheus.process_figures import ProcessFigures
from jobmill.adapters.prometheus.request_meter import RequestMeter
from jobmill.adapters.prometheus.spread import Spread
from jobmill.application.store_look import StoreFigures
from jobmill.domain.circuit_breaker import BreakerState
from jobmill.domain.states import DEAD, TERMINAL, JobState

Words = TypeVar("Words", bound=tuple[str, ...])

_KIND = ("type", "queue")
_COUNTED = tuple(state for state in JobState if state in DEAD or state not in TERMINAL)


def of_jobs(meter: JobMeter) -> Iterator[Metric]:
    """Return what happened to jobs by what this process did."""
    moves = CounterMetricFamily("jobmill_job_events", "What happened to jobs.", labels=(*_KIND, "event"))
    for kind, counts in meter.kinds.items():
        for fact, number in counts.facts.items():
            moves.add_metric((*kind, fact.value), number)
    yield moves
    yield _histogram(
        "jobmill_attempt_duration_seconds",
        "From the start of an attempt to its outcome, whatever that was.",
        _KIND,
        {kind: counts.attempts for kind, counts in meter.kinds.items()},
    )
    yield _histogram(
        "jobmill_job_completion_seconds",
        "From the submission of a job, or the time for which it was set, to its success.",
        _KIND,
        {kind: counts.completions for kind, counts in meter.kinds.items()},
    )
    blocked = SummaryMetricFamily(
        "jobmill_loop_blocked_seconds",
        "For how long handlers held up the event loop, each time more than a second.",
        labels=("type",),
    )
    for name, spread in meter.blocked.items():
        blocked.add_metric((name,), spread.count, spread.sum_s)
    yield blocked
    events = CounterMetricFamily(
        "jobmill_machinery_events", "What happened to the machinery, as the log tells it.", labels=("event",)
    )
    for name, number in meter.events.items():
        events.add_metric((name,), number)
    yield events


def of_requests(meter: RequestMeter) -> Iterator[Metric]:
    """Return what was asked over HTTP."""
    yield _histogram(
        "jobmill_http_request_duration_seconds",
        "From the head of a request to the end of its answer.",
        ("method", "route", "status"),
        meter.spreads,
    )


def of_process(figures: ProcessFigures) -> Iterator[Metric]:
    """Return how this process is."""
    yield _gauge(
        "jobmill_build_info", "Which Jobmill this is; always 1.", ("version",), {(figures.version,): 1}
    )
    yield _gauge(
        "jobmill_broker_up", "1 where this process reaches the broker.", (), {(): figures.is_broker_up}
    )
    if figures.slots is not None:
        yield _gauge(
            "jobmill_worker_slots", "Jobs that this worker runs at once.", (), {(): figures.slots.size}
        )
        yield _gauge("jobmill_worker_slots_in_use", "Jobs that it runs.", (), {(): figures.slots.in_use})
    pools = figures.pools.items()
    yield _gauge(
        "jobmill_database_connections_max",
        "Connections that a pool may have.",
        ("pool",),
        {(name,): pool.size for name, pool in pools},
    )
    yield _gauge(
        "jobmill_database_connections_in_use",
        "Connections of a pool that are in use.",
        ("pool",),
        {(name,): pool.in_use for name, pool in pools},
    )
    providers = figures.providers
    yield _gauge(
        "jobmill_provider_pause_seconds",
        "How long this process calls a provider no more, since it asked for that.",
        ("provider",),
        {(each.name,): each.pause_s for each in providers},
    )
    yield _gauge(
        "jobmill_provider_calls_max",
        "Calls to a provider that this process makes at once now.",
        ("provider",),
        {(each.name,): each.calls_max for each in providers},
    )
    yield _gauge(
        "jobmill_provider_calls",
        "Calls to a provider that are under way.",
        ("provider",),
        {(each.name,): each.calls for each in providers},
    )


def of_store(figures: StoreFigures | None, process: ProcessFigures) -> Iterator[Metric]:
    """Return what all processes see alike; without the store only that, and the breakers as seen here."""
    yield _gauge(
        "jobmill_store_up",
        "1 where the store told what is said here of all jobs.",
        (),
        {(): figures is not None},
    )
    breakers = {each.name: each.state for each in process.providers}
    if figures is not None:
        breakers |= {each.provider: each.breaker.state for each in figures.providers}
        jobs: dict[tuple[str, ...], float] = {
            (queue, state.value): 0 for queue in process.queues for state in _COUNTED
        }
        jobs |= {(queue, state.value): number for (queue, state), number in figures.counts.items()}
        yield _gauge("jobmill_jobs", "Unfinished jobs and dead letters.", ("queue", "state"), jobs)
        waits: dict[tuple[str, ...], float] = {(queue,): 0 for queue in process.queues}
        waits |= {(queue,): wait.total_seconds() for queue, wait in figures.waits.items()}
        yield _gauge(
            "jobmill_oldest_waiting_seconds",
            "How long the job has been queued that waits longest.",
            ("queue",),
            waits,
        )
    yield _gauge(
        "jobmill_provider_breaker",
        "1 for the state in which the breaker of a provider is.",
        ("provider", "state"),
        {(name, each.value): each is state for name, state in breakers.items() for each in BreakerState},
    )


def _gauge(
    name: str, tells: str, labels: tuple[str, ...], values: Mapping[Words, float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, tells, labels=labels)
    for words, value in values.items():
        family.add_metric(words, float(value))
    return family


def _histogram(
    name: str, tells: str, labels: tuple[str, ...], spreads: Mapping[Words, Spread]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, tells, labels=labels)
    for words, spread in spreads.items():
        if spread.count:
            family.add_metric(words, spread.buckets, spread.sum_s)
    return family
