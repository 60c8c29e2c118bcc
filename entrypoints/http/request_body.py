"""Reading the body of a request: bounded, JSON and nothing else."""

from typing import Any, Final

from litestar import Request
from litestar.exceptions import HTTPException, InternalServerException
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE

from jobmill.application.codec.strict_json import MalformedJson, read_json
from jobmill.application.errors import TooLarge
from jobmill.domain.errors import Fault
from jobmill.entrypoints.http.refusals import Incomplete, UnsupportedMediaType

BODY_BYTES_MAX: Final = 16 * 1024
BATCH_BYTES_MAX: Final = 16 * 1024 * 1024


async def read_body(request: Request[Any, Any, Any]) -> object:
    """Return the body as plain values; raises as ``read_bytes``, and ``MalformedJson`` for what is none."""
    return read_json(await read_bytes(request))


async def read_optional_body(request: Request[Any, Any, Any]) -> object:
    """Return the body as plain values, an empty object where there is none; raises as ``read_body``."""
    raw = await _bytes(request)
    return read_json(raw) if raw else {}


async def read_bytes(request: Request[Any, Any, Any]) -> bytes:
    """Return the body, which is said to be JSON.

    Raises:
        MalformedJson: there is none.
        TooLarge: it is longer than the route allows.
        UnsupportedMediaType: it is said to be something else than JSON.
    """
    raw = await _bytes(request)
    if not raw:
        raise MalformedJson(Fault(pointer="", detail="a JSON body is required"))
    return raw


async def _bytes(request: Request[Any, Any, Any]) -> bytes:
    _check_kind(request)
    limit = request.route_handler.resolve_request_max_body_size()
    try:
        raw = await request.body()
    except InternalServerException:  # litestar's word for a client that hung up
        raise Incomplete("the request ended before its body") from None
    except HTTPException as error:
        if error.status_code != HTTP_413_REQUEST_ENTITY_TOO_LARGE:
            raise
        raise TooLarge(Fault(pointer="", detail=f"the body is longer than {limit:,} bytes")) from None
    if raw and request.headers.get("content-type") is None:
        raise UnsupportedMediaType("say what the body is: content-type: application/json")
    return raw


def _check_kind(request: Request[Any, Any, Any]) -> None:
    """Look at the headers before anything is read."""
    said = request.headers.get("content-type")
    if said is not None and said.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(f"the body must be application/json, not {said[:100]!r}")
    packed = request.headers.get("content-encoding", "identity")
    if packed.strip().lower() != "identity":
        raise UnsupportedMediaType(f"the body must come as it is, not packed by {packed[:100]!r}")
