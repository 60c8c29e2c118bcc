"""A request for a job as plain values: what ``read_submit`` reads."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from jobmill.application.commands import SubmitJob
from jobmill.domain.options import Unique


def write_submit(command: SubmitJob) -> dict[str, Any]:
    """Return the request that asks for this command; options that were not given stay out of it."""
    options = command.options
    given: dict[str, Any] = {
        "queue": options.queue,
        "priority": options.priority and options.priority.value,
        "run_at": options.run_at and options.run_at.isoformat(),
        "delay_s": _seconds(options.delay),
        "ttl_s": _seconds(options.ttl),
        "max_attempts": options.max_attempts,
        "timeout_s": _seconds(options.timeout),
        "correlation_id": options.correlation_id,
        "idempotency_key": options.idempotency_key,
        "tenant": options.tenant,
        "tags": list(options.tags) or None,
        "unique": options.unique and _unique(options.unique),
        "follows": str(options.follows) if isinstance(options.follows, UUID) else options.follows,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    return {"type": command.type, "payload": command.payload, **asked}


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def _unique(unique: Unique) -> dict[str, Any]:
    return {"key": unique.key, "hold_s": unique.hold.total_seconds()}
