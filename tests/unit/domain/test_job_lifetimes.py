"""A job from its submission to its end, and beyond: due times, time to live, starting over."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jobmill.domain.failure import FailureKind
from jobmill.domain.job_type import TypeRules
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import JobState, Priority

from tests.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_job,
    a_job_that_is,
    a_running_job,
    a_submitted_job,
    failed,
    handed_back,
    started,
)

RULES = TypeRules(
    name="email",
    queue="mail",
    priority=Priority.LOW,
    retry=RetryPolicy(max_attempts=7),
    ttl=DAY,
    timeout=5 * SECOND,
)


def test_a_new_job_is_queued_at_its_first_version() -> None:
    job = a_submitted_job()

    assert (job.state, job.version, job.attempt, job.edition) == (JobState.QUEUED, 1, 0, 0)
    assert job.created_at == job.updated_at == job.announced_at == NOW
    assert (job.run_at, job.wake_at, job.expires_at, job.finished_at) == (None, None, None, None)


def test_a_new_job_follows_the_rules_of_its_type() -> None:
    job = a_submitted_job(rules=RULES)

    assert (job.type, job.queue, job.priority) == ("email", "mail", Priority.LOW)
    assert (job.max_attempts, job.timeout, job.ttl) == (7, 5 * SECOND, DAY)


def test_a_jobs_own_wishes_come_first() -> None:
    job = a_submitted_job(
        rules=RULES,
        queue="other",
        priority=Priority.HIGH,
        max_attempts=1,
        timeout=MINUTE,
        correlation_id="c",
        idempotency_key="k",
        tenant="t",
        tags=("a", "b"),
    )

    assert (job.queue, job.priority, job.max_attempts, job.timeout) == ("other", Priority.HIGH, 1, MINUTE)
    assert (job.correlation_id, job.idempotency_key, job.tenant, job.tags) == ("c", "k", "t", ("a", "b"))


@pytest.mark.parametrize("wish", [{"delay": HOUR}, {"run_at": NOW + HOUR}])
def test_a_job_for_later_is_scheduled_and_announced_to_nobody(wish: dict[str, Any]) -> None:
    job = a_submitted_job(**wish)

    assert job.state is JobState.SCHEDULED
    assert job.run_at == job.wake_at == NOW + HOUR
    assert job.announced_at is None


@pytest.mark.parametrize(
    "wish", [{"delay": timedelta(0)}, {"run_at": NOW}, {"run_at": NOW - HOUR}, {"delay": -SECOND}]
)
def test_a_job_whose_time_has_come_already_is_queued(wish: dict[str, Any]) -> None:
    job = a_submitted_job(**wish)

    assert (job.state, job.run_at, job.wake_at) == (JobState.QUEUED, None, None)


def test_a_time_in_another_zone_is_the_same_time() -> None:
    there = datetime(2030, 1, 1, 13, tzinfo=timezone(HOUR))

    assert there == NOW
    assert a_submitted_job(run_at=there).state is JobState.QUEUED
    assert a_submitted_job(run_at=there + SECOND).state is JobState.SCHEDULED


@pytest.mark.parametrize(
    ("mine", "of_the_type", "shorter"),
    [(HOUR, DAY, HOUR), (DAY, HOUR, HOUR), (HOUR, None, HOUR), (None, HOUR, HOUR), (None, None, None)],
)
def test_the_shorter_time_to_live_wins(
    mine: timedelta | None, of_the_type: timedelta | None, shorter: timedelta | None
) -> None:
    job = a_submitted_job(rules=TypeRules(name="email", ttl=of_the_type), ttl=mine)

    assert job.ttl == shorter
    assert job.expires_at == (None if shorter is None else NOW + shorter)


def test_the_time_to_live_of_a_scheduled_job_counts_from_its_due_time() -> None:
    assert a_submitted_job(delay=DAY, ttl=HOUR).expires_at == NOW + DAY + HOUR


def test_a_job_expires_at_the_very_moment() -> None:
    job = a_job(expires_at=NOW)

    assert job.is_expired(NOW)
    assert not job.is_expired(NOW - timedelta(microseconds=1))
    assert not a_job().is_expired(NOW + 1000 * DAY)


def test_a_retry_is_due_at_the_very_moment() -> None:
    job = a_job_that_is(JobState.RETRYING, retry_at=NOW)

    assert job.is_due(NOW)
    assert not job.is_due(NOW - timedelta(microseconds=1))
    assert a_job().is_due(NOW)


def test_waiting_for_a_retry_does_not_move_the_end_of_its_time() -> None:
    job = a_running_job(ttl=HOUR, expires_at=NOW + HOUR)

    assert failed(job).job.expires_at == NOW + HOUR
    assert handed_back(job).job.expires_at == NOW + HOUR
    assert started(a_job(ttl=HOUR, expires_at=NOW + HOUR)).job.expires_at == NOW + HOUR


def test_a_released_job_is_in_its_queue_and_waits_for_nothing() -> None:
    job = a_job_that_is(JobState.SCHEDULED).release(now=NOW + HOUR, stamp=1).job

    assert (job.state, job.wake_at, job.retry_at) == (JobState.QUEUED, None, None)
    assert job.announced_at == NOW + HOUR
    assert job.run_at == NOW + HOUR  # when it was wanted is still told


def test_a_requeued_job_starts_over() -> None:
    dead = a_job_that_is(
        JobState.FAILED,
        attempt=3,
        postpones=9,
        announces=4,
        suspect=True,
        stop_asked=True,
        started_at=NOW,
        run_at=NOW,
    )

    job = dead.requeue(now=NOW + HOUR, stamp=1).job

    assert (job.attempt, job.postpones, job.announces) == (0, 0, 0)
    assert not job.suspect
    assert not job.stop_asked
    assert (job.started_at, job.finished_at, job.run_at) == (None, None, None)
    assert (job.error, job.error_kind) == (None, None)
    assert job.announced_at == NOW + HOUR
    assert (job.max_attempts, job.created_at) == (dead.max_attempts, dead.created_at)


def test_a_requeued_job_gets_its_whole_time_to_live_again() -> None:
    expired = a_job_that_is(JobState.EXPIRED, ttl=HOUR, expires_at=NOW)

    assert expired.requeue(now=NOW + DAY, stamp=1).job.expires_at == NOW + DAY + HOUR


def test_a_requeued_job_without_a_time_to_live_has_none() -> None:
    assert a_job_that_is(JobState.FAILED).requeue(now=NOW, stamp=1).job.expires_at is None


def test_a_requeue_keeps_payload_and_edition() -> None:
    job = a_job_that_is(JobState.FAILED, edition=2).requeue(now=NOW, stamp=1).job

    assert (job.payload, job.edition) == ('{"to":"ada"}', 2)


def test_a_requeue_with_another_payload_is_another_edition() -> None:
    job = a_job_that_is(JobState.FAILED, edition=2).requeue(now=NOW, stamp=1, payload="{}").job

    assert (job.payload, job.edition) == ("{}", 3)


def test_an_empty_text_is_a_payload_too() -> None:
    assert a_job_that_is(JobState.FAILED).requeue(now=NOW, stamp=1, payload="").job.edition == 1


def test_a_discarded_job_still_tells_why_it_died() -> None:
    job = a_job_that_is(JobState.FAILED, error="boom").discard(now=NOW, stamp=1).job

    assert (job.error, job.error_kind) == ("boom", FailureKind.PERMANENT)


def test_handlers_see_one_key_per_job_and_edition() -> None:
    job = a_job()

    assert job.handler_key == str(job.id)
    again = a_job_that_is(JobState.FAILED, id=job.id).requeue(now=NOW, stamp=1, payload="{}").job
    assert again.handler_key == f"{job.id}:1"


def test_a_suspect_travels_alone() -> None:
    assert not a_job().travels_alone
    assert a_job(suspect=True).travels_alone


def test_a_job_announced_more_than_once_travels_alone() -> None:
    assert not a_job(announces=1).travels_alone
    assert a_job(announces=2).travels_alone


def test_the_fence_is_this_very_version() -> None:
    job = a_job(version=7, stamp=-3)

    assert (job.fence.job_id, job.fence.version, job.fence.stamp) == (job.id, 7, -3)
