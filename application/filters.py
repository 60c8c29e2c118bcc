"""Which jobs a client asks for."""

from collections.abc import Sequence
from typing import Any, TypedDict
from uuid import UUID

from jobmill.application.handlers import JobType
from jobmill.application.ports.job_finder import JobQuery
from jobmill.application.public_job import Job
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.states import JobState


class Filters(TypedDict, total=False):
    """What a job must be to stand in the list; ``after`` is the last job of the page before."""

    status: Sequence[JobState]
    type: JobType[Any] | str
    queue: str
    tag: str
    tenant: str
    correlation_id: str
    after: UUID | str | Job


def job_query(filters: Filters, *, limit: int) -> JobQuery:
    """Return the query; raises ``InvalidInput`` for a cursor that is no job's id."""
    asked = filters.get("type")
    name = asked.name if isinstance(asked, JobType) else asked and asked.lower()
    after = filters.get("after")
    return JobQuery(
        states=frozenset(filters.get("status", ())),
        type=name,
        queue=filters.get("queue"),
        tag=filters.get("tag"),
        tenant=filters.get("tenant"),
        correlation_id=filters.get("correlation_id"),
        after=None if after is None else id_of(after),
        limit=limit,
    )


def id_of(job: UUID | str | Job) -> UUID:
    """Return a job's id; raises ``InvalidInput`` for a text that is none."""
    if isinstance(job, Job):
        return job.id
    return job if isinstance(job, UUID) else _read_id(job)


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(Fault(pointer="/id", detail=f"{text[:60]!r} is no job's id")) from None
