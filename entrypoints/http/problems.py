"""Every refusal as a problem document (RFC 9457), and the one table from codes to statuses."""

import logging
import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from attrs import field, frozen
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from jobmill.application.codec.strict_json import FAULTS_MAX
from jobmill.application.errors import Unavailable
from jobmill.domain.errors import Fault, InvalidInput, JobmillError

MEDIA_TYPE: Final = "application/problem+json"
_DETAIL_CHARS_MAX: Final = 500

_log: Final = logging.getLogger("jobmill.http")


@frozen
class Kind:
    """A kind of problem: its status and title, and where the error's own words stay inside, what is said."""

    status: int
    title: str
    detail: str | None = None


INTERNAL: Final = "internal-error"
_NOTHING_CHANGED: Final = "the database cannot be reached just now; nothing was changed, so try again"
_UNKNOWN_CHANGE: Final = (
    "the database was cut off while it answered, so the change may have been made or not; "
    "look first, or repeat the request under the same idempotency key"
)

#: Codes that are not here are our own fault.
KINDS: Final[Mapping[str, Kind]] = {
    "bad-request": Kind(400, "The request cannot be understood"),
    "malformed-json": Kind(400, "The body is no JSON that is taken here"),
    "invalid-input": Kind(400, "The request breaks one or more rules"),
    "invalid-payload": Kind(400, "The payload does not fit its type"),
    "unknown-type": Kind(400, "No such type of job"),
    "foreign-origin": Kind(403, "A page of another origin may not change anything here"),
    "not-found": Kind(404, "Nothing is here"),
    "job-not-found": Kind(404, "No such job or message"),
    "method-not-allowed": Kind(405, "The method does not fit the path"),
    "illegal-transition": Kind(409, "The state of the job does not allow this"),
    "stale-job": Kind(409, "Somebody else was quicker"),
    "too-large": Kind(413, "Too many bytes"),
    "unsupported-media-type": Kind(415, "The body has a type that is not taken here"),
    "misdirected-request": Kind(421, "The name of the host is not one of this machine"),
    "idempotency-conflict": Kind(422, "The idempotency key belongs to another request"),
    INTERNAL: Kind(500, "Something went wrong here", "the log says more under the id of this request"),
    "unavailable": Kind(503, "Not now"),
    "not-ready": Kind(503, "Not ready"),
    "queue-full": Kind(503, "The queue is full"),
    "storage-unavailable": Kind(503, "The database cannot be reached", _NOTHING_CHANGED),
    "storage-unknown": Kind(503, "The database was cut off", _UNKNOWN_CHANGE),
    "broker-unavailable": Kind(503, "The broker cannot be reached", "the broker cannot be reached just now"),
    "setup-fault": Kind(503, "Somebody has to mend something here first", "the log says what"),
}
#: Attributes of errors that a client makes the same error from.
_ABOUT: Final = ("job_id", "key", "state", "verb", "queue")
#: What the framework itself refuses.
_CODE_OF_STATUS: Final = {404: "not-found", 405: "method-not-allowed"}


class FaultView(msgspec.Struct):
    """One thing wrong, at a JSON pointer into the body, or at the name of a query parameter."""

    pointer: str
    detail: str


class ProblemView(msgspec.Struct, omit_defaults=True):
    """A refusal: ``code`` is stable, ``instance`` is the id of the request, ``errors`` has every fault."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FaultView] = []
    parts: Mapping[str, str] = {}
    about: Mapping[str, str] = {}


@frozen(kw_only=True)
class Problem:
    """A refusal on its way out.

    Args:
        instance: the id of the request.
        parts: for a process that is not ready, what each part says.
        about: what the refusal is about, such as the job, for programs.
    """

    code: str
    detail: str
    instance: str
    faults: tuple[Fault, ...] = ()
    parts: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    about: Mapping[str, str] = field(factory=dict)

    @property
    def status(self) -> int:
        """The status that goes with the code."""
        return KINDS[self.code].status

    def body(self) -> bytes:
        """Return the document."""
        kind = KINDS[self.code]
        document = ProblemView(
            type=type_uri(self.code),
            title=kind.title,
            status=kind.status,
            detail=self.detail,
            instance=self.instance,
            code=self.code,
            errors=[FaultView(fault.pointer, fault.detail) for fault in self.faults[:FAULTS_MAX]],
            parts=self.parts,
            about=self.about,
        )
        return msgspec.json.encode(document)

    def answer(self) -> Response[bytes]:
        """Return the answer that carries the document."""
        return Response(
            self.body(),
            status_code=self.status,
            media_type=MEDIA_TYPE,
            headers={**self.headers, "cache-control": "no-store"},
        )


def type_uri(code: str) -> str:
    """Return the stable name of a kind of problem."""
    return f"urn:jobmill:problem:{code}"


def answer_refusal(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Return the problem that stands for an error; what is our own fault is logged, not told."""
    return problem_of(error, request).answer()


def problem_of(error: Exception, request: Request[Any, Any, Any]) -> Problem:
    """Return the problem that stands for an error."""
    code = _code_of(error)
    kind = KINDS[code]
    if kind.status >= KINDS[INTERNAL].status:
        _log_failure(request, error, is_ours=code == INTERNAL)
    headers = {}
    if isinstance(error, Unavailable):
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after.total_seconds())))
    if isinstance(error, HTTPException):
        headers |= error.headers or {}
    return Problem(
        code=code,
        detail=kind.detail or _words(error, request),
        instance=request.scope["state"]["request_id"],
        faults=error.faults if isinstance(error, InvalidInput) else (),
        headers=headers,
        about={name: str(value) for name in _ABOUT if (value := getattr(error, name, None)) is not None},
    )


def _code_of(error: Exception) -> str:
    if isinstance(error, JobmillError):
        return error.code if error.code in KINDS else INTERNAL
    if isinstance(error, HTTPException) and error.status_code < KINDS[INTERNAL].status:
        return _CODE_OF_STATUS.get(error.status_code, "bad-request")
    return INTERNAL


def _words(error: Exception, request: Request[Any, Any, Any]) -> str:
    if isinstance(error, NotFoundException):
        return f"nothing is at {_cut(request.scope['path'])!r}; /docs shows what there is"
    if isinstance(error, MethodNotAllowedException):
        return f"{request.method} is not for {_cut(request.scope['path'])!r}; the header Allow says what is"
    if isinstance(error, HTTPException):
        return error.detail
    if isinstance(error, InvalidInput) and len(error.faults) > 1:
        more = "" if len(error.faults) <= FAULTS_MAX else f", of which the first {FAULTS_MAX:,} are told"
        return f"{len(error.faults):,} faults{more}; `errors` has each with its place"
    return _cut(str(error))


def _cut(text: str) -> str:
    return text if len(text) <= _DETAIL_CHARS_MAX else text[: _DETAIL_CHARS_MAX - 1] + "…"


def _log_failure(request: Request[Any, Any, Any], error: Exception, *, is_ours: bool) -> None:
    """A server that is away is a line; what nobody thought of comes with its stack."""
    request_id, path = request.scope["state"]["request_id"], request.scope["path"]
    words = ("request %s failed: %s %r: %s", request_id, request.method, path, error)
    fields = {"event": "request failed", "request_id": request_id}
    if is_ours:
        _log.error(*words, exc_info=error, extra=fields)
    else:
        _log.warning(*words, extra=fields)
