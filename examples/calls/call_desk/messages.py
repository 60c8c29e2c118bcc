"""What a producer says of a call, and where it says it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from attrs import frozen

#: A broker that others use too may want other names; the bindings in pyproject.toml name the same queues.
CALL_QUEUE: Final = os.environ.get("CALL_QUEUE", "call_queue")
URGENT_CALL_QUEUE: Final = os.environ.get("URGENT_CALL_QUEUE", "urgent_call_queue")


@frozen
class CallMessage:
    """One call. ``attempt`` is the producer's own count; how often a call was placed Jobmill counts."""

    call_id: str
    phone_number: str
    attempt: int
    timestamp: str


def message(call_id: str, phone_number: str) -> CallMessage:
    """A call that is asked for now, for the first time."""
    return CallMessage(call_id, phone_number, 0, datetime.now(UTC).isoformat(timespec="milliseconds"))


def calls(series: str, count: int) -> Iterator[CallMessage]:
    """Calls ``<series>-1``, ``<series>-2``, … to numbers where somebody answers."""
    return (message(f"{series}-{number}", f"+1555020{number:04d}") for number in range(1, count + 1))
