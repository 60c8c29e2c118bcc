"""Attempts for handlers to run, without a runner."""

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Final
from uuid import UUID

from jobmill.application.errors import InvalidPayload
from jobmill.application.handlers import JobContext, JobHandlers

from tests.builders import MINUTE, NOW

JOB_ID: Final = UUID("01990000-0000-7000-8000-000000000001")


def an_attempt(*, attempt: int = 1, key: str = str(JOB_ID), type: str = "email") -> JobContext:  # noqa: A002
    """The context of one attempt of the job ``JOB_ID``."""
    return JobContext(
        job_id=JOB_ID,
        type=type,
        attempt=attempt,
        max_attempts=3,
        idempotency_key=key,
        correlation_id=None,
        deadline=NOW + MINUTE,
        log=logging.LoggerAdapter(logging.getLogger("jobmill.handler"), {}),
        is_cancelled=lambda: False,
        transact=nullcontext,
    )


async def run_one(
    handlers: JobHandlers, payload: Mapping[str, object], attempt: JobContext | None = None
) -> object:
    """What the only handler of the collection returns for a payload as JSON gives it."""
    [declared] = handlers
    return await declared.call(declared.schema.structure(dict(payload)), attempt or an_attempt())


def faults_of(handlers: JobHandlers, payload: Mapping[str, object]) -> dict[str, str]:
    """What the only type of the collection finds wrong with a payload, by place below the payload."""
    [declared] = handlers
    try:
        declared.schema.structure(dict(payload))
    except InvalidPayload as refusal:
        return {fault.pointer.removeprefix("/payload"): fault.detail for fault in refusal.faults}
    return {}
