"""Jobs as the HTTP API shows them."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from jobmill.application.batches import BatchReport
from jobmill.application.ports.progress import Progress
from jobmill.application.public_job import Job
from jobmill.domain.states import JobState, Priority


class UnreadableJob(ValueError):
    """A document that is no job of this version's."""


class _Progress(msgspec.Struct, kw_only=True):
    fraction: float
    note: str | None
    attempt: int
    at: datetime


class _Document(msgspec.Struct, kw_only=True):
    """What of a job a client wants; what a newer server adds is left out."""

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
    timeout_s: float
    result: Any = None
    error: str | None = None
    run_at: datetime | None = None
    retry_at: datetime | None = None
    expires_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    ttl_s: float | None = None
    worker: str | None = None
    stop_asked: bool = False
    correlation_id: str | None = None
    idempotency_key: str | None = None
    tenant: str | None = None
    tags: tuple[str, ...] = ()
    origin: dict[str, Any] | None = None
    follows: UUID | None = None
    batch: UUID | None = None
    progress: _Progress | None = None


class _Batch(msgspec.Struct):
    jobs: list[_Document]
    replayed: list[int]


class _NewBatch(msgspec.Struct):
    jobs: list[_Document]
    callback: _Document
    replayed: bool


class _Report(msgspec.Struct):
    id: UUID
    callback: _Document
    size: int
    unfinished: int
    succeeded: int
    failed: int
    expired: int
    cancelled: int
    discarded: int
    gone: int


_ONE: Final = msgspec.json.Decoder(_Document)
_LIST: Final = msgspec.json.Decoder(list[_Document])
_BATCH: Final = msgspec.json.Decoder(_Batch)
_NEW_BATCH: Final = msgspec.json.Decoder(_NewBatch)
_REPORT: Final = msgspec.json.Decoder(_Report)


def read_job(text: bytes, *, replayed: bool = False) -> Job:
    """Return a job; raises ``UnreadableJob``."""
    return _job(_decoded(_ONE, text), replayed=replayed)


def read_jobs(text: bytes) -> list[Job]:
    """Return a list of jobs; raises ``UnreadableJob``."""
    return [_job(each) for each in _decoded(_LIST, text)]


def read_batch(text: bytes) -> list[Job]:
    """Return the answer to a batch; raises ``UnreadableJob``."""
    batch: _Batch = _decoded(_BATCH, text)
    replayed = set(batch.replayed)
    return [_job(each, replayed=at in replayed) for at, each in enumerate(batch.jobs)]


def read_new_batch(text: bytes) -> list[Job]:
    """Return the answer to a batch with a callback, which comes last; raises ``UnreadableJob``."""
    batch: _NewBatch = _decoded(_NEW_BATCH, text)
    return [_job(each, replayed=batch.replayed) for each in (*batch.jobs, batch.callback)]


def read_report(text: bytes) -> BatchReport:
    """Return how a batch stands; raises ``UnreadableJob``."""
    report: _Report = _decoded(_REPORT, text)
    return BatchReport(**(msgspec.structs.asdict(report) | {"callback": _job(report.callback)}))


def _decoded(decoder: "msgspec.json.Decoder[Any]", text: bytes) -> Any:  # noqa: ANN401 - what it decodes
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableJob(str(error)) from error


def _job(document: _Document, *, replayed: bool = False) -> Job:
    values = msgspec.structs.asdict(document)
    timeout_s, ttl_s = values.pop("timeout_s"), values.pop("ttl_s")
    said: _Progress | None = values.pop("progress")
    return Job(
        **values,
        timeout=timedelta(seconds=timeout_s),
        ttl=None if ttl_s is None else timedelta(seconds=ttl_s),
        progress=None if said is None else Progress(**msgspec.structs.asdict(said)),
        replayed=replayed,
    )
