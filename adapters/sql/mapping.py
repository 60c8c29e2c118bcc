"""Rows and the domain's values, into each other. Here alone stands which column belongs to what."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from attrs import fields
from sqlalchemy import Row, Text, type_coerce

from jobmill.adapters.sql.column_types import JsonText, Word
from jobmill.adapters.sql.dialect import Values
from jobmill.adapters.sql.schema import job_history, jobs
from jobmill.domain.failure import Failure
from jobmill.domain.job import Job
from jobmill.domain.states import Target
from jobmill.domain.transition import HistoryEntry, Transition

#: All columns of a job, to be selected and inserted; each is named as the field that it holds.
JOB: Final = tuple(column for column in jobs.columns if column is not jobs.c.watched)
_FIELDS: Final = tuple(column.name for column in JOB)
assert set(_FIELDS) == {each.name for each in fields(Job)}, "a job's table and its class have come apart"

#: A job to be read: words and JSON as the texts that they are, which ``job_from`` turns into what they mean.
READ: Final = tuple(
    type_coerce(column, Text).label(column.name) if isinstance(column.type, Word | JsonText) else column
    for column in JOB
)
#: What is to be done to a text that was read, by its column.
_MEANINGS: Final = tuple(
    (column.name, column.type.meaning) for column in JOB if isinstance(column.type, Word | JsonText)
)

#: What ties a job to others; null in nearly all.
_TIES: Final = frozenset({"follows", "chain_depth", "batch", "batch_size", "inherited"})
#: The columns of a new job without ties.
UNTIED: Final = tuple(column for column in JOB if column.name not in _TIES)

#: What a save writes from the job as it will be. Not among them: what never changes after the submission;
#: the lease, the stop request and the count of announcements, which are outside the fence; the payload, which
#: a requeue alone edits; what a job inherits, which it is let go with.
WRITTEN: Final = tuple(
    column
    for column in JOB
    if column.name
    not in {
        "id", "type", "queue", "priority", "payload", "max_attempts", "timeout", "created_at", "ttl",
        "lease_until", "stop_asked", "announces", "correlation_id", "idempotency_key", "tenant", "tags",
        "payload_version", "origin", *_TIES,
    }
)  # fmt: skip

HISTORY: Final = tuple(job_history.columns)

#: The values of a new row, in the order of ``JOB``.
values_of: Final = attrgetter(*_FIELDS)
#: The like of a job without ties, in the order of ``UNTIED``.
untied_values_of: Final = attrgetter(*(column.name for column in UNTIED))
#: The values that a save writes, in the order of ``WRITTEN``.
written_values: Final = attrgetter(*(column.name for column in WRITTEN))


def job_from(row: Sequence[Any]) -> Job:
    """Make the job from a row that begins with the columns ``READ``."""
    values = dict(zip(_FIELDS, row, strict=False))
    for name, meaning in _MEANINGS:
        values[name] = meaning(values[name])
    return Job.of(values)


def as_the_row_says(job: Job, lease_until: datetime | None, stop_asked: bool, announces: int) -> Job:
    """Give a saved job what its row has outside the fence: lease, stop request, count of announcements."""
    if job.lease_until == lease_until and job.stop_asked == stop_asked and job.announces == announces:
        return job
    return job.changed(lease_until=lease_until, stop_asked=stop_asked, announces=announces)


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
