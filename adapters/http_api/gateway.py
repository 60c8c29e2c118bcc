"""A client's verbs as requests to the HTTP API."""

import asyncio
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from attrs import frozen

from jobmill.adapters.http_api.bounds import WAIT_PAUSE_S, WAIT_S_MAX
from jobmill.adapters.http_api.documents import (
    UnreadableJob,
    read_batch,
    read_job,
    read_jobs,
    read_new_batch,
    read_report,
)
from jobmill.adapters.http_api.exchange import Answer, Exchange
from jobmill.application.batches import BatchReport
from jobmill.application.codec.payload_schema import write_payload
from jobmill.application.codec.submit_writing import write_submit
from jobmill.application.commands import SubmitJob
from jobmill.application.errors import InvalidPayload, SetupFault
from jobmill.application.gateway import Gateway
from jobmill.application.handlers import JobType
from jobmill.application.ports.job_finder import JobQuery
from jobmill.application.public_job import Job
from jobmill.application.submission import CALLBACK, place_of_each
from jobmill.domain.errors import Fault, InvalidInput

T = TypeVar("T")


@frozen(kw_only=True)
class HttpGateway(Gateway):
    """The HTTP API. It knows the types itself, so what it is sent need not be known here."""

    exchange: Exchange

    async def submit(
        self,
        unit: Sequence[SubmitJob],
        *,
        types: Sequence[JobType[Any]] = (),
        callback: SubmitJob | None = None,
    ) -> Sequence[Job]:
        """See ``Gateway``. Sent again after a broken connection only if every job has an idempotency key."""
        place = place_of_each(unit, is_batch=callback is not None)
        for at, command in enumerate(unit):
            _check_json(command, place.format(at=at))
        is_repeatable = all(command.options.idempotency_key is not None for command in unit)
        if callback is not None:
            return await self._submit_batch(unit, callback, is_repeatable=is_repeatable)
        if len(unit) == 1:
            answer = await self.exchange.post("jobs", write_submit(unit[0]), is_repeatable=is_repeatable)
            replayed = answer.headers.get("Idempotency-Replayed") == "true"
            return [self._read(lambda body: read_job(body, replayed=replayed), answer)]
        requests = [write_submit(command) for command in unit]
        try:
            answer = await self.exchange.post("jobs/batch", {"jobs": requests}, is_repeatable=is_repeatable)
        except InvalidInput as error:
            raise _as_in_the_unit(error) from None
        return self._read(read_batch, answer)

    async def _submit_batch(
        self, unit: Sequence[SubmitJob], callback: SubmitJob, *, is_repeatable: bool
    ) -> Sequence[Job]:
        _check_json(callback, CALLBACK)
        body = {"jobs": [write_submit(command) for command in unit], "callback": write_submit(callback)}
        try:
            answer = await self.exchange.post("batches", body, is_repeatable=is_repeatable)
        except InvalidInput as error:
            raise _as_in_the_unit(error) from None
        return self._read(read_new_batch, answer)

    async def batch(self, batch_id: UUID) -> BatchReport:
        """See ``Gateway``."""
        return self._read(read_report, await self.exchange.get(f"batches/{batch_id}"))

    async def get(self, job_id: UUID) -> Job:
        """See ``Gateway``."""
        return self._read(read_job, await self.exchange.get(f"jobs/{job_id}"))

    async def page(self, query: JobQuery) -> Sequence[Job]:
        """See ``Gateway``."""
        asked = {
            "status": ",".join(sorted(state.value for state in query.states)),
            "type": query.type,
            "queue": query.queue,
            "tag": query.tag,
            "tenant": query.tenant,
            "correlation_id": query.correlation_id,
            "cursor": query.after and urlsafe_b64encode(query.after.bytes).rstrip(b"=").decode(),
            "limit": str(query.limit),
        }
        given = {name: text for name, text in asked.items() if text}
        return self._read(read_jobs, await self.exchange.get("jobs", given))

    async def wait(self, job_id: UUID, *, within: timedelta) -> Job:
        """See ``Gateway``. The server waits, for half a minute at a time."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within.total_seconds()
        while True:
            began_s = loop.time()
            wait_s = max(0, min(math.floor(until_s - began_s), WAIT_S_MAX))
            answer = await self.exchange.get(f"jobs/{job_id}", {"wait": str(wait_s)}, more_s=wait_s)
            job = self._read(read_job, answer)
            left_s = until_s - loop.time()
            if job.is_finished or left_s <= 0:
                return job
            early_s = began_s + WAIT_PAUSE_S - loop.time()
            await asyncio.sleep(max(0.0, min(early_s, left_s)))

    async def cancel(self, job_id: UUID) -> Job:
        """See ``Gateway``."""
        return self._read(read_job, await self.exchange.post(f"jobs/{job_id}/cancel"))

    async def requeue(self, job_id: UUID, *, payload: dict[str, Any] | None) -> Job:
        """See ``Gateway``."""
        body = None if payload is None else {"payload": payload}
        return self._read(read_job, await self.exchange.post(f"jobs/{job_id}/requeue", body))

    def _read(self, read: Callable[[bytes], T], answer: Answer) -> T:
        try:
            return read(answer.body)
        except UnreadableJob as error:
            raise SetupFault(
                f"{self.exchange.place} answers otherwise than a Jobmill of this version: {error}"
            ) from error


def _check_json(command: SubmitJob, place: str) -> None:
    """Refuse a payload that no request could carry; all else is the server's to judge."""
    try:
        write_payload(command.payload)
    except InvalidPayload as error:
        raise error.below(place) from None


def _as_in_the_unit(error: InvalidInput) -> InvalidInput:
    """Return the refusal with the places that its caller knows: ``/3/payload``, as on a database."""
    return error.naming(
        Fault(pointer=fault.pointer.removeprefix("/jobs"), detail=fault.detail) for fault in error.faults
    )
