"""How an answer is put together, and how a path names a job."""

import re
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from litestar import Request, Response
from litestar.types import Receive, Scope, Send

from jobmill.application.submitter import Accepted
from jobmill.domain.job import Job
from jobmill.entrypoints.http.query_string import link_to_next
from jobmill.entrypoints.http.refusals import NoSuchId
from jobmill.entrypoints.http.views import BatchView, NewBatchView, encode, job_view

PREFIX: Final = "/api"
ID: Final = "job_id"

Req = Request[Any, Any, Any]
Answer = Response[bytes]

_JSON: Final = (b"content-type", b"application/json")
_NO_COPIES: Final = (b"cache-control", b"no-store")
_REPLAYED: Final = (b"idempotency-replayed", b"true")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def id_of(request: Req) -> UUID:
    """Return the id in the path; raises ``NoSuchId``."""
    text: str = request.path_params[ID]
    if not _UUID.fullmatch(text):
        raise NoSuchId(text)
    return UUID(text)


def answer(value: object, *, status: int = 200, **headers: str) -> Answer:
    """Return a value as JSON. Nobody keeps a copy: jobs move, and what is in them may be confidential."""
    return json_answer(encode(value), status=status, **headers)


def json_answer(body: bytes, *, status: int = 200, **headers: str) -> Answer:
    """Return JSON that is encoded already; names of headers with underscores for dashes."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(
        body,
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store", **named},
    )


@frozen
class Written:
    """An answer as it goes out: an ASGI application, of JSON of which nobody keeps a copy."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        size = (b"content-length", b"%d" % len(self.body))
        headers = [_NO_COPIES, *self.headers, _JSON, size]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def accepted_answer(job: Job, *, replayed: bool) -> Written:
    """Return the answer for a job that stands for the request, new or made by an earlier one."""
    location = (b"location", location_of(job).encode())
    if replayed:
        return Written(200, (location, _REPLAYED), encode(job_view(job)))
    return Written(201, (location,), encode(job_view(job)))


def accepted_batch(accepted: Sequence[Accepted]) -> Written:
    """Return the answer for the jobs that stand for a batch."""
    replayed = [at for at, each in enumerate(accepted) if each.replayed]
    body = encode(BatchView(jobs=[job_view(each.job) for each in accepted], replayed=replayed))
    if len(replayed) == len(accepted):
        return Written(200, (_REPLAYED,), body)
    return Written(201, (), body)


def accepted_new_batch(accepted: Sequence[Accepted]) -> Written:
    """Return the answer for a batch with its callback, the last; an earlier request made all or none."""
    *others, last = accepted
    batch = NewBatchView(
        id=last.job.id,
        callback=job_view(last.job),
        jobs=[job_view(each.job) for each in others],
        replayed=last.replayed,
    )
    location = (b"location", f"{PREFIX}/batches/{last.job.id}".encode())
    if last.replayed:
        return Written(200, (location, _REPLAYED), encode(batch))
    return Written(201, (location,), encode(batch))


def page_answer(request: Req, shown: object, *, next_after: UUID | None) -> Answer:
    """Return one page of a list."""
    if next_after is None:
        return answer(shown)
    return answer(shown, link=link_to_next(request, next_after))


def location_of(job: Job) -> str:
    """Return where the job can be read, under whichever alias it was asked for."""
    return f"{PREFIX}/jobs/{job.id}"
