"""The wire format of barriers. What tells one from a parcel is its body, as nothing is decided by headers."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec

from jobmill.application.fair_queues import SHARES_MAX
from jobmill.application.ports.barriers import Barrier
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import Priority

SCHEMA: Final = 1
CONTENT_TYPE: Final = "application/vnd.jobmill.barrier+json"


class _Sent(msgspec.Struct, kw_only=True, omit_defaults=True):
    id: UUID
    queue: str
    priority: Priority
    judges_before: Annotated[datetime, msgspec.Meta(tz=True)]
    shares: Annotated[int, msgspec.Meta(ge=1, le=SHARES_MAX)] = 1
    share: Annotated[int, msgspec.Meta(ge=0, lt=SHARES_MAX)] = 0


class _Envelope(msgspec.Struct, kw_only=True):
    schema: Annotated[int, msgspec.Meta(ge=SCHEMA, le=SCHEMA)]
    barrier: _Sent


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Envelope).decode
_HEAD: Final = b'{"schema":%d,"barrier":' % SCHEMA


def encode_barrier(barrier: Barrier) -> bytes:
    """Return the body of a barrier."""
    lane = barrier.lane
    sent = _Sent(
        id=barrier.id,
        queue=lane.queue,
        priority=lane.priority,
        judges_before=barrier.judges_before,
        shares=barrier.shares,
        share=barrier.share,
    )
    return _encode(_Envelope(schema=SCHEMA, barrier=sent))


def open_barrier(body: bytes) -> Barrier | None:
    """Return the barrier that this is; None for anything else, a damaged barrier included."""
    if not body.startswith(_HEAD):
        return None
    try:
        sent = _decode(body).barrier
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError):
        return None
    lane = Lane(queue=sent.queue, priority=sent.priority)
    return Barrier(
        id=sent.id, lane=lane, judges_before=sent.judges_before, shares=sent.shares, share=sent.share
    )
