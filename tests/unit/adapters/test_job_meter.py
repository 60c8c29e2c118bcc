"""Events become samples."""

from typing import Any

import pytest

from jobmill.adapters.prometheus.job_meter import EVENTS_MAX, KINDS_MAX, OTHER
from jobmill.application.step_watch import BLOCKED
from jobmill.domain.failure import FailureKind
from jobmill.domain.states import JobState

from tests.builders import (
    HOUR,
    NOW,
    SECOND,
    a_failure,
    a_job,
    a_job_that_is,
    a_running_job,
    failed,
    handed_back,
    lapsed,
    orphaned,
    started,
    succeeded,
)
from tests.unit.adapters.metrics_world import MetricsWorld

KIND: Any = {"type": "email", "queue": "mail"}


@pytest.fixture
def world() -> MetricsWorld:
    return MetricsWorld()


async def events(world: MetricsWorld) -> dict[tuple[str, ...], float]:
    samples = [each for each in await world.samples() if each.name == "jobmill_job_events_total"]
    return {tuple(each.labels[name] for name in ("type", "queue", "event")): each.value for each in samples}


async def spread(world: MetricsWorld, name: str) -> dict[str, float]:
    """Of a histogram with one series: its sum, its count, and its buckets by their bounds."""
    samples = [each for each in await world.samples() if each.name.startswith(name)]
    return {
        each.labels.get("le", each.name.removeprefix(name).removeprefix("_")): each.value for each in samples
    }


async def test_each_move_is_counted_by_type_queue_and_what_happened(world: MetricsWorld) -> None:
    job = a_job(**KIND)
    world.jobs.submitted([job, a_job(**KIND), a_job(type="sms")])
    world.jobs.moved([started(job), succeeded(a_running_job(**KIND)), failed(a_running_job(**KIND))])
    world.jobs.moved([failed(a_running_job(**KIND), a_failure(FailureKind.PERMANENT))])

    assert await events(world) == {
        ("email", "mail", "submitted"): 2,
        ("sms", "default", "submitted"): 1,
        ("email", "mail", "started"): 1,
        ("email", "mail", "succeeded"): 1,
        ("email", "mail", "retry scheduled"): 1,
        ("email", "mail", "dead-lettered"): 1,
    }


async def test_an_attempt_takes_from_its_start_to_whatever_came_of_it(world: MetricsWorld) -> None:
    job = a_running_job(started_at=NOW)
    world.jobs.moved([succeeded(job, now=NOW + 2 * SECOND), failed(job, now=NOW + 3 * SECOND)])
    world.jobs.moved([handed_back(job, now=NOW + 40 * SECOND)])

    seen = await spread(world, "jobmill_attempt_duration_seconds")
    assert (seen["count"], seen["sum"]) == (3, 45)
    assert (seen["1.0"], seen["2.5"], seen["5.0"], seen["30.0"], seen["60.0"]) == (0, 1, 2, 2, 3)
    assert seen["+Inf"] == 3


async def test_what_takes_just_as_long_as_a_bound_counts_below_it(world: MetricsWorld) -> None:
    world.jobs.moved([succeeded(a_running_job(started_at=NOW), now=NOW + SECOND)])

    seen = await spread(world, "jobmill_attempt_duration_seconds")
    assert (seen["0.5"], seen["1.0"]) == (0, 1)


async def test_what_was_not_running_had_no_attempt(world: MetricsWorld) -> None:
    tried_before = a_job_that_is(JobState.RETRYING, started_at=NOW)
    world.jobs.moved([tried_before.cancel(now=NOW + HOUR, stamp=1), started(tried_before)])

    assert await spread(world, "jobmill_attempt_duration_seconds") == {}


async def test_of_a_lost_worker_nobody_knows_how_long_it_ran(world: MetricsWorld) -> None:
    world.jobs.moved([lapsed(a_running_job(), now=NOW + HOUR), orphaned(a_running_job(), now=NOW + HOUR)])

    assert await spread(world, "jobmill_attempt_duration_seconds") == {}
    assert await events(world) == {("email", "default", "retry scheduled"): 2}


async def test_a_job_takes_from_its_submission_or_its_time_to_its_success(world: MetricsWorld) -> None:
    at_once = a_running_job(created_at=NOW - 4 * SECOND)
    for_later = a_running_job(created_at=NOW - HOUR, run_at=NOW - 2 * SECOND)
    world.jobs.moved([succeeded(at_once), succeeded(for_later), failed(a_running_job())])

    seen = await spread(world, "jobmill_job_completion_seconds")
    assert (seen["count"], seen["sum"]) == (2, 6)
    assert (seen["1.0"], seen["2.5"], seen["5.0"]) == (0, 1, 2)


async def test_a_clock_that_was_set_back_makes_no_time_below_nothing(world: MetricsWorld) -> None:
    world.jobs.moved([succeeded(a_running_job(started_at=NOW, created_at=NOW), now=NOW - HOUR)])

    seen = await spread(world, "jobmill_attempt_duration_seconds")
    assert (seen["count"], seen["sum"], seen["0.005"]) == (1, 0, 1)


async def test_a_handler_that_held_up_the_loop_is_counted_with_its_time(world: MetricsWorld) -> None:
    world.jobs.noted(BLOCKED, type="email", seconds=1.5, reason="everything else waited")
    world.jobs.noted(BLOCKED, type="email", seconds=2, reason="everything else waited")

    assert await world.values("jobmill_loop_blocked_seconds_count") == {("email",): 2}
    assert await world.values("jobmill_loop_blocked_seconds_sum") == {("email",): 3.5}
    assert await world.values("jobmill_machinery_events_total") == {(BLOCKED,): 2}


async def test_what_befalls_the_machinery_is_counted_by_its_name_alone(world: MetricsWorld) -> None:
    world.jobs.noted("breaker opened", provider="sms:twilio", reason="10 of 10 calls failed")
    world.jobs.noted("breaker opened", provider="email:smtp")

    assert await world.values("jobmill_machinery_events_total") == {("breaker opened",): 2}


async def test_labels_are_bounded(world: MetricsWorld) -> None:
    world.jobs.submitted([a_job(type=f"type-{number}") for number in range(KINDS_MAX + 2)])
    for number in range(EVENTS_MAX + 2):
        world.jobs.noted(f"event {number}")
        world.jobs.noted(BLOCKED, type=f"type-{number}", seconds=1.5)
    world.jobs.submitted([a_job(type="type-0")])

    seen, noted = await events(world), await world.values("jobmill_machinery_events_total")
    assert len(seen) == KINDS_MAX + 1
    assert seen[OTHER, OTHER, "submitted"] == 2
    assert seen["type-0", "default", "submitted"] == 2
    assert len(noted) == EVENTS_MAX + 1
    assert noted[OTHER,] == 3
