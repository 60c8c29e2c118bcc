"""A job as a client sees it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from attrs import frozen

from jobmill.application.codec.payload_schema import read_payload
from jobmill.application.ports.progress import Progress
from jobmill.domain.job import Job as StoredJob
from jobmill.domain.states import TERMINAL, JobState, Priority


@frozen(kw_only=True)
class Job:
    """A job as it stood when it was asked for.

    Args:
        status: where it stands.
        attempts: how many were started.
        payload: plain values, as in JSON.
        result: what its handler returned, as plain values; None until it has succeeded.
        error: what went wrong last, for a person.
        origin: what a foreign producer said of the message that became this job, as plain values; None for
            every other job.
        progress: what its handler last said of how far it is; None where it said nothing, and in lists.
        follows: the job after whose success it comes.
        batch: the batch that it belongs to; of a batch's callback its own id.
        replayed: for an answer to a submission: an earlier request under the same key made it.
    """

    id: UUID
    type: str
    status: JobState
    attempts: int
    max_attempts: int
    payload: dict[str, Any]
    queue: str
    priority: Priority
    created_at: datetime
    updated_at: datetime
    timeout: timedelta
    result: Any = None
    error: str | None = None
    run_at: datetime | None = None
    retry_at: datetime | None = None
    expires_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    ttl: timedelta | None = None
    worker: str | None = None
    stop_asked: bool = False
    correlation_id: str | None = None
    idempotency_key: str | None = None
    tenant: str | None = None
    tags: tuple[str, ...] = ()
    origin: dict[str, Any] | None = None
    follows: UUID | None = None
    batch: UUID | None = None
    progress: Progress | None = None
    replayed: bool = False

    @property
    def is_finished(self) -> bool:
        """Nothing but a person moves it any more."""
        return self.status in TERMINAL

    @property
    def succeeded(self) -> bool:
        """Its handler returned, or committed by itself."""
        return self.status is JobState.SUCCEEDED


def seen_from_outside(job: StoredJob, *, progress: Progress | None = None, replayed: bool = False) -> Job:
    """Return a stored job as a client sees it."""
    payload = read_payload(job.payload)
    return Job(
        id=job.id,
        type=job.type,
        status=job.state,
        attempts=job.attempt,
        max_attempts=job.max_attempts,
        payload=payload if isinstance(payload, dict) else {},
        queue=job.queue,
        priority=job.priority,
        created_at=job.created_at,
        updated_at=job.updated_at,
        timeout=job.timeout,
        result=None if job.result is None else read_payload(job.result),
        error=job.error,
        run_at=job.run_at,
        retry_at=job.retry_at,
        expires_at=job.expires_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        ttl=job.ttl,
        worker=job.worker,
        stop_asked=job.stop_asked,
        correlation_id=job.correlation_id,
        idempotency_key=job.idempotency_key,
        tenant=job.tenant,
        tags=job.tags,
        origin=_origin(job),
        follows=job.follows,
        batch=job.batch_id,
        progress=progress,
        replayed=replayed,
    )


def _origin(job: StoredJob) -> dict[str, Any] | None:
    origin = None if job.origin is None else read_payload(job.origin)
    return origin if isinstance(origin, dict) else None
