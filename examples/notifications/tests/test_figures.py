"""The figures that the measured runs print."""

import math
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from jobmill import Job, JobState, Priority

from notification_center.figures import counts, ended_by, middle_rate, most_open, percentile, to_done

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)


def a_job(*, made_s: float, done_s: float | None) -> Job:
    made = BEGIN + timedelta(seconds=made_s)
    return Job(
        id=uuid4(),
        type="sms",
        status=JobState.QUEUED if done_s is None else JobState.SUCCEEDED,
        attempts=1,
        max_attempts=3,
        payload={},
        queue="sms",
        priority=Priority.NORMAL,
        created_at=made,
        updated_at=made,
        timeout=timedelta(seconds=60),
        finished_at=None if done_s is None else BEGIN + timedelta(seconds=done_s),
    )


def test_a_percentile_is_a_value_that_was_there_and_nan_of_nothing() -> None:
    assert percentile([3, 1, 2, 4], 0.5) == 3
    assert percentile([3, 1, 2, 4], 0.99) == 4
    assert math.isnan(percentile([], 0.5))


def test_a_rate_is_that_of_the_middle_so_that_stragglers_do_not_count() -> None:
    steady = [a_job(made_s=0, done_s=n / 10) for n in range(100)]
    late = a_job(made_s=0, done_s=1_000)

    assert round(middle_rate([*steady, late])) == 10
    assert math.isnan(middle_rate(steady[:5]))


def test_jobs_are_open_between_their_submission_and_their_end() -> None:
    jobs = [a_job(made_s=0, done_s=2), a_job(made_s=1, done_s=3), a_job(made_s=2, done_s=None)]

    assert most_open(jobs) == 2
    assert ended_by(jobs, BEGIN + timedelta(seconds=2)) == 1
    assert to_done(jobs) == [2.0, 2.0]
    assert counts(jobs, lambda job: job.status.value) == "succeeded 2, queued 1"
