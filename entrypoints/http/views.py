"""How jobs and messages look as JSON. Payloads and results are JSON already and pass through as they are."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec

from jobmill.application.batches import counts_of
from jobmill.application.inspector import DeadLetter
from jobmill.application.ports.job_finder import JobStory
from jobmill.application.ports.progress import Progress
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState, Priority
from jobmill.domain.ties import Tally
from jobmill.domain.transition import HistoryEntry

encode: Final = msgspec.json.Encoder().encode

QUARANTINED: Final = "quarantined"

#: Everything that is written here has a zone, and it is UTC.
Time = Annotated[datetime, msgspec.Meta(tz=True)]
Object = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]


class JobView(msgspec.Struct, kw_only=True):
    """A job, what people look for first."""

    id: UUID
    type: str
    status: JobState
    attempts: int
    error: str | None
    payload: Object
    queue: str
    priority: Priority
    created_at: Time
    updated_at: Time
    max_attempts: int
    result: msgspec.Raw | None
    run_at: Time | None
    retry_at: Time | None
    expires_at: Time | None
    started_at: Time | None
    finished_at: Time | None
    worker: str | None
    correlation_id: str | None
    idempotency_key: str | None
    tenant: str | None
    tags: tuple[str, ...]
    follows: UUID | None
    batch: UUID | None
    timeout_s: float
    ttl_s: float | None
    stop_asked: bool
    origin: Object | None


class EntryView(msgspec.Struct, kw_only=True):
    """An attempt that did not succeed, or what an operator did."""

    attempt: int
    outcome: str
    at: Time
    started_at: Time | None
    worker: str | None
    kind: str | None
    error: str | None
    stack: str | None


class ProgressView(msgspec.Struct, kw_only=True):
    """What an attempt last said of itself."""

    fraction: Annotated[float, msgspec.Meta(ge=0, le=1)]
    note: str | None
    attempt: int
    at: Time


class StoryView(JobView, kw_only=True):
    """A job with its history, oldest first, and how far it is, if its handler says so."""

    history: list[EntryView]
    progress: ProgressView | None


class BatchView(msgspec.Struct, kw_only=True):
    """The jobs of a batch, in its order, and the places of those that an earlier request made."""

    jobs: list[JobView]
    replayed: list[int]


class NewBatchView(msgspec.Struct, kw_only=True):
    """A batch with a callback: its jobs in their order, and whether an earlier request made it."""

    id: UUID
    callback: JobView
    jobs: list[JobView]
    replayed: bool


class BatchReportView(msgspec.Struct, kw_only=True):
    """How the jobs of a batch stand. ``gone`` had ended so long ago that they are kept no longer."""

    id: UUID
    callback: JobView
    size: int
    unfinished: int
    succeeded: int
    failed: int
    expired: int
    cancelled: int
    discarded: int
    gone: int


class DeadJobView(JobView, kw_only=True):
    """A job among the dead letters."""

    kind: JobState


class DeadStoryView(StoryView, kw_only=True):
    """A job among the dead letters, with its history."""

    kind: JobState


class MessageView(msgspec.Struct, kw_only=True):
    """A foreign message, without what is in it."""

    kind: str
    id: UUID
    received_at: Time
    source: str
    reason: str
    content_type: str | None
    size_bytes: int


class WholeMessageView(MessageView, kw_only=True):
    """A foreign message, as it came: as text where it is text, else as Base64."""

    headers: Mapping[str, str]
    body: str | None
    body_base64: str | None


def job_view(job: Job) -> JobView:
    """Return a job without its history."""
    return JobView(**_columns(job))


def batch_report_view(callback: Job, tally: Tally) -> BatchReportView:
    """Return how a batch stands."""
    return BatchReportView(id=callback.id, callback=job_view(callback), **counts_of(tally))


def story_view(story: JobStory) -> StoryView:
    """Return a job with its history."""
    return StoryView(**_tale(story))


def letter_view(letter: DeadLetter) -> DeadJobView | MessageView:
    """Return a dead letter as it stands in a list."""
    if isinstance(letter, ForeignMessage):
        return MessageView(**_envelope(letter))
    return DeadJobView(**_columns(letter), kind=letter.state)


def whole_letter_view(letter: JobStory | ForeignMessage) -> DeadStoryView | WholeMessageView:
    """Return a dead letter with all that is known of it."""
    if isinstance(letter, JobStory):
        return DeadStoryView(**_tale(letter), kind=letter.job.state)
    try:
        text, packed = letter.body.decode(), None
    except UnicodeDecodeError:
        text, packed = None, b64encode(letter.body).decode()
    return WholeMessageView(**_envelope(letter), headers=letter.headers, body=text, body_base64=packed)


def _columns(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "type": job.type,
        "status": job.state,
        "attempts": job.attempt,
        "error": job.error,
        "payload": msgspec.Raw(job.payload),
        "queue": job.queue,
        "priority": job.priority,
        "created_at": _utc(job.created_at),
        "updated_at": _utc(job.updated_at),
        "max_attempts": job.max_attempts,
        "result": None if job.result is None else msgspec.Raw(job.result),
        "run_at": _utc(job.run_at),
        "retry_at": _utc(job.retry_at),
        "expires_at": _utc(job.expires_at),
        "started_at": _utc(job.started_at),
        "finished_at": _utc(job.finished_at),
        "worker": job.worker,
        "correlation_id": job.correlation_id,
        "idempotency_key": job.idempotency_key,
        "tenant": job.tenant,
        "tags": job.tags,
        "follows": job.follows,
        "batch": job.batch_id,
        "timeout_s": whole_seconds(job.timeout),
        "ttl_s": None if job.ttl is None else whole_seconds(job.ttl),
        "stop_asked": job.stop_asked,
        "origin": None if job.origin is None else msgspec.Raw(job.origin),
    }


def _tale(story: JobStory) -> dict[str, Any]:
    return {
        **_columns(story.job),
        "history": _entries(story.history),
        "progress": None if story.progress is None else _progress(story.progress),
    }


def _progress(progress: Progress) -> ProgressView:
    return ProgressView(
        fraction=progress.fraction,
        note=progress.note,
        attempt=progress.attempt,
        at=progress.at.astimezone(UTC),
    )


def _entries(history: Sequence[HistoryEntry]) -> list[EntryView]:
    return [_entry(entry) for entry in history]


def _entry(entry: HistoryEntry) -> EntryView:
    failure = entry.failure
    return EntryView(
        attempt=entry.attempt,
        outcome=outcome_word(entry.fact),
        at=entry.at.astimezone(UTC),
        started_at=_utc(entry.started_at),
        worker=entry.worker,
        kind=failure.kind.value if failure else None,
        error=failure.message if failure else None,
        stack=failure.stack if failure else None,
    )


def outcome_word(fact: Fact) -> str:
    """Return what a fact is called outside, in one word."""
    return fact.value.replace(" ", "-")


def _envelope(message: ForeignMessage) -> dict[str, Any]:
    return {
        "kind": QUARANTINED,
        "id": message.id,
        "received_at": message.received_at.astimezone(UTC),
        "source": message.source,
        "reason": message.reason,
        "content_type": message.content_type,
        "size_bytes": len(message.body),
    }


def _utc(time: datetime | None) -> datetime | None:
    return time if time is None or time.tzinfo is UTC else time.astimezone(UTC)


def whole_seconds(length: timedelta) -> float:
    """Return a length in seconds, whole ones as whole numbers, as people write them."""
    seconds = length.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
