"""What worker and child say to each other: JSON objects, each behind its length in four bytes."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final
from uuid import UUID

from jobmill.application.outcomes import Outcome, Postponed, Succeeded
from jobmill.application.ports.executors import Errand
from jobmill.domain.failure import Failure, FailureKind

Frame = dict[str, Any]

_LENGTH_BYTES: Final = 4


class BrokenFrame(Exception):
    """The other side wrote what is no frame."""


def packed(frame: Mapping[str, Any]) -> bytes:
    """Return a frame as bytes."""
    body = json.dumps(frame).encode()
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def read_frame(pipe: BinaryIO) -> Frame | None:
    """Wait for the next frame in a thread; None at the end."""
    head = pipe.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    body = pipe.read(size)
    return _unpacked(body) if len(body) == size else None


async def next_frame(pipe: asyncio.StreamReader) -> Frame | None:
    """Wait for the next frame on the loop; None at the end."""
    try:
        size = int.from_bytes(await pipe.readexactly(_LENGTH_BYTES), "big")
        return _unpacked(await pipe.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _unpacked(body: bytes) -> Frame:
    try:
        frame = json.loads(body)
    except ValueError as error:
        raise BrokenFrame(f"{len(body):,} bytes that are no JSON") from error
    if not isinstance(frame, dict):
        raise BrokenFrame("no object")
    return frame


def errand_frame(errand: Errand) -> Frame:
    """Return an errand as plain values."""
    return {
        "module": errand.module,
        "function": errand.function,
        "payload": errand.payload,
        "job_id": str(errand.job_id),
        "type": errand.type,
        "attempt": errand.attempt,
        "max_attempts": errand.max_attempts,
        "idempotency_key": errand.idempotency_key,
        "correlation_id": errand.correlation_id,
        "deadline": errand.deadline.isoformat(),
        "inherited": errand.inherited,
    }


def errand_in(frame: Frame) -> Errand:
    """Return the errand that these values were."""
    fields = dict(frame)
    return Errand(
        job_id=UUID(fields.pop("job_id")), deadline=datetime.fromisoformat(fields.pop("deadline")), **fields
    )


def outcome_frame(outcome: Outcome) -> Frame:
    """Return what came of an errand as plain values."""
    match outcome:
        case Succeeded(result=result):
            return {"result": result}
        case Failure(kind=kind, message=message, stack=stack, retry_after=after):
            after_s = None if after is None else after.total_seconds()
            return {"failure": kind.value, "message": message, "stack": stack, "after_s": after_s}
        case Postponed(wait=wait, reason=reason):
            return {"postponed": reason, "wait_s": None if wait is None else wait.total_seconds()}
        case _:
            raise TypeError(f"no handler ends so: {outcome!r}")


def outcome_in(frame: Frame) -> Outcome:
    """Return the outcome that these values were.

    Raises:
        BrokenFrame: they were none.
    """
    match frame:
        case {"result": result}:
            return Succeeded(result=result)
        case {"failure": kind, "message": message, "stack": stack, "after_s": after_s}:
            return Failure(kind=FailureKind(kind), message=message, stack=stack, retry_after=_span(after_s))
        case {"postponed": reason, "wait_s": wait_s}:
            return Postponed(wait=_span(wait_s), reason=reason)
        case _:
            raise BrokenFrame(f"no outcome: {sorted(frame)}")


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
