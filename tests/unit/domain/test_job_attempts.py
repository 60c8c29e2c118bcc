"""Attempts: when they count, when they are given back, and what they leave on the job."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve

from jobmill.domain.errors import IllegalTransition
from jobmill.domain.failure import WORKER_LOST, FailureKind
from jobmill.domain.job import POSTPONES_MAX, Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import Transition

from tests.builders import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    STEADY,
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


def postponed(job: Job, delay: timedelta = MINUTE) -> Job:
    return job.postpone(delay, "provider is busy", policy=STEADY, now=NOW, stamp=1, fraction=0.0).job


def test_an_attempt_counts_from_its_start() -> None:
    move = started(a_job(attempt=1), worker="w-7", lease=MINUTE)

    assert (move.job.attempt, move.job.worker, move.job.started_at) == (2, "w-7", NOW)
    assert move.lease == MINUTE
    assert move.job.lease_until is None  # the store's clock says when


def test_as_many_attempts_start_as_the_job_may_have() -> None:
    assert started(a_job(attempt=2, max_attempts=3)).job.attempt == 3
    with pytest.raises(IllegalTransition, match="no attempts left"):
        started(a_job(attempt=3, max_attempts=3))


def test_the_last_attempt_but_one_is_retried_and_the_last_is_not() -> None:
    assert failed(a_running_job(attempt=2, max_attempts=3)).job.state is JobState.RETRYING
    assert failed(a_running_job(attempt=3, max_attempts=3)).job.state is JobState.FAILED


def test_a_failed_attempt_stays_counted() -> None:
    assert failed(a_running_job(attempt=2)).job.attempt == 2


def test_the_jobs_own_number_of_attempts_counts_not_the_policys() -> None:
    assert STEADY.max_attempts == 3
    assert failed(a_running_job(attempt=4, max_attempts=5)).job.state is JobState.RETRYING


def test_a_start_ends_the_wait() -> None:
    job = started(a_job_that_is(JobState.RETRYING)).job

    assert (job.retry_at, job.wake_at) == (None, None)


def test_a_start_forgets_how_often_the_job_was_announced_in_vain() -> None:
    assert started(a_job(announces=7)).job.announces == 0


def test_a_job_keeps_its_last_error_while_it_is_tried_again() -> None:
    job = started(a_job_that_is(JobState.RETRYING, error="boom")).job

    assert job.error == "boom"


def test_success_leaves_a_result_and_no_error() -> None:
    job = succeeded(a_running_job(error="boom", error_kind=FailureKind.TIMEOUT), result='{"a":1}').job

    assert (job.result, job.error, job.error_kind) == ('{"a":1}', None, None)
    assert (job.worker, job.lease_until) == (None, None)


def test_a_failure_is_told_on_the_job() -> None:
    move = failed(a_running_job(), a_failure(FailureKind.TIMEOUT))

    assert (move.job.error, move.job.error_kind) == ("connection refused", FailureKind.TIMEOUT)
    assert (move.job.worker, move.job.lease_until) == (None, None)
    assert move.failure == a_failure(FailureKind.TIMEOUT)


def test_a_retry_waits_as_the_policy_says() -> None:
    job = failed(a_running_job(attempt=2)).job

    assert job.retry_at == NOW + 4 * SECOND
    assert job.announced_at == NOW


def test_a_retry_is_looked_for_when_its_notice_must_have_come() -> None:
    job = failed(a_running_job(attempt=2)).job

    # The delay, a rung of 4 s for being late, and 30 s of slack.
    assert job.wake_at == NOW + (4 + 4 + 30) * SECOND


def test_a_retry_beyond_the_ladder_is_looked_for_at_its_own_time() -> None:
    job = failed(a_running_job(), a_failure(retry_after=2 * HOUR)).job

    assert job.retry_at == job.wake_at == NOW + 2 * HOUR


def test_a_retry_just_within_the_ladder_is_announced() -> None:
    within, beyond = timedelta(seconds=4096), timedelta(seconds=4096, microseconds=1)

    assert failed(a_running_job(), a_failure(retry_after=within)).job.announced_at == NOW
    assert failed(a_running_job(), a_failure(retry_after=beyond)).job.announced_at is None


def test_a_lost_worker_makes_its_job_suspect() -> None:
    move = lapsed(a_running_job())

    assert move.failure == WORKER_LOST
    assert move.job.suspect
    assert move.job.error_kind is FailureKind.WORKER_LOST
    assert not failed(a_running_job()).job.suspect


@pytest.mark.parametrize("lose", [lapsed, orphaned])
def test_the_first_lost_worker_costs_no_wait_and_the_next_ones_do(lose: Callable[[Job], Transition]) -> None:
    """A poison job is slowed down like any other that fails; its neighbours are not."""
    first = lose(a_running_job(attempt=1)).job
    second = lose(a_running_job(attempt=2, suspect=True)).job

    assert (first.state, first.retry_at) == (JobState.RETRYING, NOW)
    assert second.retry_at == NOW + timedelta(seconds=4)


def test_a_failure_that_is_no_lost_worker_clears_the_suspicion() -> None:
    assert not failed(a_running_job(suspect=True)).job.suspect


def test_a_dead_letter_of_a_lost_worker_is_suspect_too() -> None:
    assert lapsed(a_running_job(attempt=3, max_attempts=3)).job.suspect


def test_postponing_gives_the_attempt_back() -> None:
    job = postponed(a_running_job(attempt=2))

    assert (job.state, job.attempt, job.postpones) == (JobState.RETRYING, 1, 1)
    assert job.retry_at == NOW + MINUTE
    assert (job.error, job.error_kind) == ("provider is busy", FailureKind.RETRY_AFTER)


def test_postponing_for_the_hundredth_time_is_the_last_that_is_free() -> None:
    assert POSTPONES_MAX == 100
    free = postponed(a_running_job(attempt=2, postpones=99))
    counted = postponed(a_running_job(attempt=2, postpones=100))

    assert (free.attempt, free.postpones) == (1, 100)
    assert (counted.state, counted.attempt, counted.postpones) == (JobState.RETRYING, 2, 100)


def test_postponing_that_counts_ends_a_job_without_attempts_left() -> None:
    job = postponed(a_running_job(attempt=3, max_attempts=3, postpones=100))

    assert job.state is JobState.FAILED


def test_handing_back_gives_the_attempt_back_and_announces_the_job_at_once() -> None:
    job = handed_back(a_running_job(attempt=2)).job

    assert (job.state, job.attempt, job.postpones) == (JobState.QUEUED, 1, 1)
    assert (job.announced_at, job.retry_at, job.wake_at) == (NOW, None, None)
    assert job.error == "shutting down"


def test_handing_back_is_free_a_hundred_times_as_well() -> None:
    free = handed_back(a_running_job(attempt=2, postpones=99)).job
    counted = handed_back(a_running_job(attempt=2, postpones=100)).job

    assert (free.state, free.attempt, free.postpones) == (JobState.QUEUED, 1, 100)
    assert (counted.state, counted.attempt, counted.postpones) == (JobState.RETRYING, 2, 100)
    assert counted.retry_at == NOW + 4 * SECOND


def test_deferring_takes_no_attempt_and_counts_as_a_postpone() -> None:
    job = a_job(attempt=1, postpones=3).defer(MINUTE, "breaker open", now=NOW, stamp=1).job

    assert (job.state, job.attempt, job.postpones) == (JobState.RETRYING, 1, 4)
    assert job.retry_at == NOW + MINUTE
    assert job.error == "breaker open"


def test_a_job_is_given_up_after_ten_announcements_in_vain() -> None:
    with pytest.raises(IllegalTransition, match="announced 9 times of 10"):
        a_job(announces=9).give_up(now=NOW, stamp=1)

    job = a_job(announces=10).give_up(now=NOW, stamp=1).job
    assert (job.state, job.error_kind) == (JobState.FAILED, FailureKind.UNDELIVERABLE)
    assert not job.suspect


def test_a_cancelled_attempt_tells_why_it_ended() -> None:
    move = failed(a_running_job(stop_asked=True))

    assert move.failure == a_failure()
    assert move.job.error == "connection refused"
    assert move.job.attempt == 1


def test_the_snapshot_that_a_move_was_decided_on_is_left_as_it_was() -> None:
    job = a_running_job()
    copy = evolve(job)

    failed(job)
    succeeded(job)
    job.ask_to_stop()

    assert job == copy


def test_only_a_start_and_a_requeue_count_announcements_anew() -> None:
    dead = a_job_that_is(JobState.FAILED, announces=5)

    assert started(a_job()).resets_announces
    assert dead.requeue(now=NOW, stamp=1).resets_announces
    assert not a_job().defer(HOUR, "x", now=NOW, stamp=1).resets_announces
    assert not dead.discard(now=NOW, stamp=1).resets_announces
