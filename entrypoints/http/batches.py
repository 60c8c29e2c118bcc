"""The routes of batches with a callback."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from attrs import frozen

from jobmill.application.codec.strict_json import MalformedJson, pointer_token, read_json
from jobmill.application.codec.submit_request import read_submit
from jobmill.application.commands import SubmitJob
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.entrypoints.http.answers import Answer, Req, Written, accepted_new_batch, answer, id_of
from jobmill.entrypoints.http.idempotency_key import refuse_idempotency_key
from jobmill.entrypoints.http.jobs import READ_AT_ONCE_BYTES_MAX, jobs_in, read_jobs
from jobmill.entrypoints.http.query_string import no_query
from jobmill.entrypoints.http.request_body import BATCH_BYTES_MAX, read_bytes
from jobmill.entrypoints.http.services import HttpServices
from jobmill.entrypoints.http.views import batch_report_view

_NAMES: Final = ("jobs", "callback")


class _Jobs(msgspec.Struct):
    """Where the list of jobs begins and ends in a document; all else is left out."""

    jobs: msgspec.Raw


_FIND_JOBS: Final = msgspec.json.Decoder(_Jobs).decode


@frozen(kw_only=True)
class BatchRoutes:
    """Submitting batches and looking at them."""

    services: HttpServices

    async def submit(self, request: Req) -> Written:
        """Store up to a thousand jobs and their callback, all or none."""
        no_query(request)
        refuse_idempotency_key(request)
        commands, callback = await _batch(await read_bytes(request, bytes_max=BATCH_BYTES_MAX))
        return accepted_new_batch(
            await self.services.submitter.submit(commands, callback=callback, pointer="/jobs/{at}")
        )

    async def report(self, request: Req) -> Answer:
        """Show how a batch stands."""
        no_query(request)
        return answer(batch_report_view(*await self.services.inspector.batch(id_of(request))))


async def _batch(raw: bytes) -> tuple[Sequence[SubmitJob], SubmitJob]:
    """Read a batch. Of a long one the list of jobs is cut out first, and read in pieces.

    Raises:
        InvalidInput: it is another thing than a batch. What is wrong with its jobs stands in the commands.
    """
    if len(raw) <= READ_AT_ONCE_BYTES_MAX:
        body = _formed(read_json(raw))
        return jobs_in({"jobs": body["jobs"]}), read_submit(body["callback"])
    try:
        jobs_raw = bytes(_FIND_JOBS(raw).jobs)
    except msgspec.ValidationError:
        raise InvalidInput(Fault(pointer="", detail="must be an object with jobs and a callback")) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedJson(Fault(pointer="", detail=f"is not JSON: {error}")) from None
    before, _, after = raw.partition(jobs_raw)
    rest = _formed(read_json(before + b"[]" + after))
    return await read_jobs(b'{"jobs":' + jobs_raw + b"}"), read_submit(rest["callback"])


def _formed(body: object) -> Mapping[str, Any]:
    """Return the parts of a batch; its own form is checked here, its jobs are not."""
    if not isinstance(body, dict):
        raise InvalidInput(Fault(pointer="", detail="must be an object with jobs and a callback"))
    unknown = "unknown field; a batch holds jobs and a callback"
    faults = [Fault(pointer=pointer_token(name), detail=unknown) for name in body if name not in _NAMES]
    faults += [Fault(pointer=f"/{name}", detail="is required") for name in _NAMES if name not in body]
    if faults:
        raise InvalidInput(*faults)
    return body
