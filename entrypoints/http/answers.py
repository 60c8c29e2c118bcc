"""How an answer is put together, and how a path names a job."""

import re
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response

from jobmill.domain.job import Job
from jobmill.entrypoints.http.query_string import link_to_next
from jobmill.entrypoints.http.refusals import NoSuchId
from jobmill.entrypoints.http.views import encode, job_view

PREFIX: Final = "/api"
ID: Final = "job_id"

Req = Request[Any, Any, Any]
Answer = Response[bytes]

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


def accepted_answer(job: Job, *, replayed: bool) -> Answer:
    """Return the answer for a job that stands for the request, new or made by an earlier one."""
    if replayed:
        return answer(job_view(job), location=location_of(job), idempotency_replayed="true")
    return answer(job_view(job), status=201, location=location_of(job))


def page_answer(request: Req, shown: object, *, next_after: UUID | None) -> Answer:
    """Return one page of a list."""
    if next_after is None:
        return answer(shown)
    return answer(shown, link=link_to_next(request, next_after))


def location_of(job: Job) -> str:
    """Return where the job can be read, under whichever alias it was asked for."""
    return f"{PREFIX}/jobs/{job.id}"
