"""A client over HTTP reads what the API writes, and sees what a client of the database sees."""

import pytest

from jobmill.adapters.http_api.documents import UnreadableJob, read_job
from jobmill.application.ports.job_finder import JobStory
from jobmill.application.ports.progress import Progress
from jobmill.application.public_job import seen_from_outside
from jobmill.domain.states import JobState
from jobmill.entrypoints.http.views import encode, story_view

from tests.builders import MINUTE, NOW, a_job_that_is


@pytest.mark.parametrize("state", list(JobState))
def test_a_job_is_the_same_over_http_and_by_the_database(state: JobState) -> None:
    job = a_job_that_is(
        state,
        now=NOW,
        ttl=MINUTE,
        result='{"a":[1]}',
        error="no",
        tags=("x",),
        tenant="t",
        correlation_id="c",
        origin='{"attempt":4}',
    )
    said = Progress(fraction=0.25, note="a quarter", attempt=1, at=NOW)

    sent = encode(story_view(JobStory(job=job, history=(), progress=said)))

    assert read_job(sent) == seen_from_outside(job, progress=said)


def test_a_job_that_has_said_nothing_has_no_progress() -> None:
    sent = encode(story_view(JobStory(job=a_job_that_is(JobState.QUEUED, now=NOW), history=())))

    assert read_job(sent).progress is None


def test_a_document_that_is_no_job_is_named_so() -> None:
    with pytest.raises(UnreadableJob, match="id"):
        read_job(b'{"type":"email"}')
