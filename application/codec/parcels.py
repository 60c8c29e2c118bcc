"""The wire format of parcels: snapshots of jobs as JSON, with a schema number."""

from datetime import datetime, timedelta
from operator import attrgetter
from typing import Annotated, Final
from uuid import UUID

import msgspec
from attrs import NOTHING, frozen
from attrs import fields as fields_of

from jobmill.domain.errors import JobmillError
from jobmill.domain.job import Job
from jobmill.domain.states import JobState, Priority

SCHEMA: Final = 1
#: Several times what this or any later release sends: 256 KiB and 50 notices.
BODY_BYTES_MAX: Final = 1024 * 1024
NOTICES_MAX: Final = 1_000
CONTENT_TYPE: Final = "application/vnd.jobmill.parcel+json"


class UnreadableParcel(JobmillError):
    """The envelope is not ours, or it is damaged."""

    code = "unreadable-parcel"


class FutureParcel(JobmillError):
    """The envelope was written by a later release."""

    code = "future-parcel"


@frozen(kw_only=True)
class BadNotice:
    """One notice of a readable parcel that could not be understood."""

    raw: bytes
    reason: str


@frozen(kw_only=True)
class OpenedParcel:
    """What a parcel held."""

    jobs: tuple[Job, ...]
    bad: tuple[BadNotice, ...] = ()


# What a database column holds: a notice beyond it is damaged, and no question for the store.
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_Stamp = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class _Snapshot(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A job as it travels. What the row alone decides (lease, stop request, results) stays at home."""

    id: UUID
    type: str
    queue: str
    priority: Priority
    payload: msgspec.Raw
    state: JobState
    version: _Version
    stamp: _Stamp
    max_attempts: _Count
    timeout_s: float
    created_at: _Time
    updated_at: _Time
    attempt: _Count = 0
    run_at: _Time | None = None
    retry_at: _Time | None = None
    ttl_s: float | None = None
    expires_at: _Time | None = None
    announced_at: _Time | None = None
    edition: _Count = 0
    postpones: _Count = 0
    announces: _Count = 0
    suspect: bool = False
    correlation_id: str | None = None
    idempotency_key: str | None = None
    tenant: str | None = None
    tags: tuple[str, ...] = ()
    payload_version: _Version = 1
    inherited: str | None = None


class _Numbered(msgspec.Struct):
    """What all envelopes have in common, those of later releases too."""

    schema: Annotated[int, msgspec.Meta(ge=1)]


class _Envelope(msgspec.Struct):
    jobs: list[msgspec.Raw]


_UNREADABLE: Final = (msgspec.DecodeError, ValueError, OverflowError, RecursionError)
_encode: Final = msgspec.json.Encoder().encode
_open_whole: Final = msgspec.json.Decoder(list[_Snapshot]).decode
_open_one: Final = msgspec.json.Decoder(_Snapshot).decode
_open_number: Final = msgspec.json.Decoder(_Numbered).decode
_open_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_HEAD: Final = b'{"schema":%d,"jobs":[' % SCHEMA
_TAIL: Final = b"]}"


#: Every field of a job, those with a default at that.
_EMPTY: Final = {each.name: None if each.default is NOTHING else each.default for each in fields_of(Job)}
#: What a notice and a job call by the same name and keep in the same form.
_CARRIED: Final = tuple(
    name for name in _Snapshot.__struct_fields__ if name in _EMPTY and name not in {"payload", "timeout"}
)
_carried: Final = attrgetter(*_CARRIED)


def encode_notice(job: Job) -> bytes:
    """Return the snapshot of a job, to be joined into a parcel."""
    return _encode(
        _Snapshot(
            id=job.id,
            type=job.type,
            queue=job.queue,
            priority=job.priority,
            payload=msgspec.Raw(job.payload.encode()),
            state=job.state,
            version=job.version,
            stamp=job.stamp,
            max_attempts=job.max_attempts,
            timeout_s=job.timeout.total_seconds(),
            created_at=job.created_at,
            updated_at=job.updated_at,
            attempt=job.attempt,
            run_at=job.run_at,
            retry_at=job.retry_at,
            ttl_s=None if job.ttl is None else job.ttl.total_seconds(),
            expires_at=job.expires_at,
            announced_at=job.announced_at,
            edition=job.edition,
            postpones=job.postpones,
            announces=job.announces,
            suspect=job.suspect,
            correlation_id=job.correlation_id,
            idempotency_key=job.idempotency_key,
            tenant=job.tenant,
            tags=job.tags,
            payload_version=job.payload_version,
            inherited=job.inherited,
        )
    )


def join_notices(notices: list[bytes]) -> bytes:
    """Return the body of a parcel that holds these encoded notices."""
    return _HEAD + b",".join(notices) + _TAIL


def open_parcel(body: bytes) -> OpenedParcel:
    """Return the jobs of a parcel, notice by notice: a bad one does not spoil its neighbours.

    Raises:
        UnreadableParcel: the envelope itself cannot be read, or it is larger than any of ours.
        FutureParcel: its schema number is higher than this release knows.
    """
    if len(body) > BODY_BYTES_MAX:
        raise UnreadableParcel(f"not a parcel: it has {len(body):,} bytes, and none has {BODY_BYTES_MAX:,}")
    if body.startswith(_HEAD):
        try:
            return OpenedParcel(jobs=tuple(map(_to_job, _open_whole(body[len(_HEAD) - 1 : -1]))))
        except _UNREADABLE:
            pass  # somewhere inside; find out where
    try:
        schema = _open_number(body).schema
        if schema > SCHEMA:
            raise FutureParcel(f"parcel of schema {schema}; this release reads up to {SCHEMA}")
        envelope = _open_envelope(body)
    except _UNREADABLE as error:
        raise UnreadableParcel(f"not a parcel: {error}") from None
    if len(envelope.jobs) > NOTICES_MAX:
        raise UnreadableParcel(
            f"not a parcel: it has {len(envelope.jobs):,} notices, none has {NOTICES_MAX:,}"
        )
    jobs: list[Job] = []
    bad: list[BadNotice] = []
    for raw in envelope.jobs:
        try:
            jobs.append(_to_job(_open_one(raw)))
        except _UNREADABLE as error:
            bad.append(BadNotice(raw=bytes(raw), reason=str(error)))
    return OpenedParcel(jobs=tuple(jobs), bad=tuple(bad))


def _to_job(snapshot: _Snapshot) -> Job:
    """Fill in a job by its fields; what a notice leaves out is in a new job as it is in every other."""
    fields = _EMPTY.copy()
    fields.update(zip(_CARRIED, _carried(snapshot), strict=True))
    fields["payload"] = bytes(snapshot.payload).decode()
    fields["timeout"] = timedelta(seconds=snapshot.timeout_s)
    if snapshot.ttl_s is not None:
        fields["ttl"] = timedelta(seconds=snapshot.ttl_s)
    return Job.of(fields)
