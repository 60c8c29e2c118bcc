"""A job and its copies: the same but for what is named, and never the same object."""

import pytest
from attrs import evolve, fields

from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import NOW, a_job


def test_a_changed_job_is_the_same_but_for_what_is_named() -> None:
    job = a_job(now=NOW)

    changed = job.changed(attempt=2, worker="w")

    assert changed == evolve(job, attempt=2, worker="w")
    assert job == a_job(now=NOW, id=job.id, stamp=job.stamp)
    assert type(changed) is Job


def test_a_field_that_a_job_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="a job has no attemt"):
        a_job(now=NOW).changed(attemt=2)


def test_a_job_is_made_again_of_its_fields() -> None:
    job = a_job(now=NOW, state=JobState.QUEUED)

    again = Job.of({each.name: getattr(job, each.name) for each in fields(Job)})

    assert again == job


def test_a_job_does_not_change() -> None:
    with pytest.raises(AttributeError):
        a_job(now=NOW).attempt = 2  # type: ignore[misc]
