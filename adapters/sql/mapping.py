"""Rows and the domain's values, into each other. Here alone stands which column belongs to what."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

from attrs import fields
from sqlalchemy import Row

from jobmill.adapters.sql.dialect import Values
from jobmill.adapters.sql.schema import job_history, jobs
from jobmill.domain.failure import Failure
from jobmill.domain.job import Job
from jobmill.domain.states import Target
from jobmill.domain.transition import HistoryEntry, Transition

#: All columns of a job, to be selected and inserted; each is named as the field that it holds.
JOB: Final = tuple(jobs.columns)
_FIELDS: Final = tuple(jobs.columns.keys())
assert set(_FIELDS) == {each.name for each in fields(Job)}, "a job's table and its class have come apart"

#: What a save writes from the job as it will be. Not among them: what never changes after the submission;
#: the lease, the stop request and the count of announcements, which are outside the fence; the payload, which
#: a requeue alone edits.
WRITTEN: Final = tuple(
    column
    for column in JOB
    if column.name
    not in {
        "id", "type", "queue", "priority", "payload", "max_attempts", "timeout", "created_at", "ttl",
        "lease_until", "stop_asked", "announces", "correlation_id", "idempotency_key", "tenant", "tags",
        "payload_version",
    }
)  # fmt: skip

HISTORY: Final = tuple(job_history.columns)

#: The values of a new row, in the order of ``JOB``.
values_of: Final = attrgetter(*_FIELDS)
#: The values that a save writes, in the order of ``WRITTEN``.
written_values: Final = attrgetter(*(column.name for column in WRITTEN))


def job_from(row: Sequence[Any]) -> Job:
    """Make the job from a row that begins with the columns ``JOB``."""
    return Job(**dict(zip(_FIELDS, row[: len(_FIELDS)], strict=True)))


def as_the_row_says(job: Job, row: Row[Any]) -> Job:
    """Give a saved job what its row has outside the fence."""
    loose = (row.lease_until, row.stop_asked, row.announces)
    if (job.lease_until, job.stop_asked, job.announces) == loose:
        return job
    return job.changed(lease_until=row.lease_until, stop_asked=row.stop_asked, announces=row.announces)


def entry_from(row: Row[Any]) -> HistoryEntry:
    """Make the entry from a row of the columns ``HISTORY``."""
    failure = None
    if row.failure_kind is not None:
        failure = Failure(
            kind=row.failure_kind, message=row.message, stack=row.stack, retry_after=row.retry_after
        )
    return HistoryEntry(
        job_id=row.job_id,
        version=row.version,
        fact=row.fact,
        attempt=row.attempt,
        at=row.at,
        started_at=row.started_at,
        worker=row.worker,
        failure=failure,
    )


def new_history(transitions: Sequence[Transition]) -> list[Values]:
    """Return the rows that these moves leave in the history: move first, then the columns in their order."""
    rows: list[Values] = []
    for transition in transitions:
        if entry := transition.history:
            why = entry.failure
            failed = (why.kind, why.message, why.stack, why.retry_after) if why else (None,) * 4
            ran = (entry.version, entry.fact, entry.attempt, entry.at, entry.started_at, entry.worker)
            rows.append((entry.job_id, transition.job.stamp, *ran, *failed))
    return rows


def new_notice(row: int, job: Job, target: Target) -> Values:
    """Return an outbox row: move first, then the columns in their order."""
    return (job.id, job.stamp, row, job.version, job.queue, target)


def new_tags(jobs_made: Sequence[Job]) -> list[Values]:
    """Return the rows by which jobs are found by their tags: move first, then the tag."""
    return [(job.id, job.stamp, tag) for job in jobs_made for tag in dict.fromkeys(job.tags)]
