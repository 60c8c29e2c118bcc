"""What a move leaves in the history of its job."""

import pytest

from jobmill.domain.failure import FailureKind
from jobmill.domain.states import Fact, JobState
from jobmill.domain.transition import HistoryEntry

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
    started,
    succeeded,
)

LATER = NOW + HOUR


def test_an_attempt_that_did_not_succeed_is_told_with_all_its_circumstances() -> None:
    job = a_running_job(worker="w-3", attempt=2, version=5, started_at=NOW)
    failure = a_failure(FailureKind.TIMEOUT, stack="Traceback …")

    entry = failed(job, failure, now=LATER).history

    assert entry == HistoryEntry(
        job_id=job.id,
        version=6,
        fact=Fact.RETRY_SCHEDULED,
        attempt=2,
        at=LATER,
        started_at=NOW,
        worker="w-3",
        failure=failure,
    )


def test_an_attempt_that_is_given_back_is_told_under_its_number() -> None:
    entry = handed_back(a_running_job(attempt=2)).history

    assert entry is not None
    assert (entry.fact, entry.attempt) == (Fact.HANDED_BACK, 2)


def test_a_success_is_told_by_the_job_itself() -> None:
    assert succeeded(a_running_job()).history is None


def test_neither_a_start_nor_a_release_is_told() -> None:
    assert started(a_job()).history is None
    assert a_job_that_is(JobState.SCHEDULED).release(now=NOW, stamp=1).history is None


@pytest.mark.parametrize("verb", ["cancel", "expire"])
def test_the_end_of_a_job_that_never_ran_names_no_worker(verb: str) -> None:
    entry = getattr(a_job(started_at=NOW, worker="old"), verb)(now=LATER, stamp=1).history

    assert (entry.started_at, entry.worker, entry.failure, entry.at) == (None, None, None, LATER)


@pytest.mark.parametrize(("verb", "fact"), [("requeue", Fact.REQUEUED), ("discard", Fact.DISCARDED)])
def test_what_an_operator_did_is_told(verb: str, fact: Fact) -> None:
    entry = getattr(a_job_that_is(JobState.FAILED), verb)(now=LATER, stamp=1).history

    assert entry.fact is fact


def test_a_deferred_job_tells_why_it_waits() -> None:
    entry = a_job().defer(SECOND, "breaker open", now=NOW, stamp=1).history

    assert entry is not None
    assert entry.failure is not None
    assert (entry.fact, entry.failure.message) == (Fact.POSTPONED, "breaker open")
