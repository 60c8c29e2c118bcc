"""Reading the body of a request: bounded, JSON and nothing else."""

from collections.abc import Iterable
from typing import Any, Final

from litestar import Request
from litestar.exceptions import ClientException
from litestar.types import Receive

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
    raw = await _bytes(request, BODY_BYTES_MAX)
    return read_json(raw) if raw else {}


async def read_bytes(request: Request[Any, Any, Any], *, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """Return the body, which is said to be JSON.

    Raises:
        MalformedJson: there is none.
        TooLarge: it is longer than ``bytes_max``.
        UnsupportedMediaType: it is said to be something else than JSON.
    """
    raw = await _bytes(request, bytes_max)
    if not raw:
        raise MalformedJson(Fault(pointer="", detail="a JSON body is required"))
    return raw


async def _bytes(request: Request[Any, Any, Any], bytes_max: int) -> bytes:
    headers = request.scope["headers"]
    kind = header_of(headers, b"content-type")
    _check_kind(kind, header_of(headers, b"content-encoding") or "identity")
    if _announced(header_of(headers, b"content-length")) > bytes_max:
        raise _too_large(bytes_max)
    raw = await _received(request.receive, bytes_max)
    if raw and kind is None:
        raise UnsupportedMediaType("say what the body is: content-type: application/json")
    return raw


async def _received(receive: Receive, bytes_max: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Incomplete("the request ended before its body")
        assert event["type"] == "http.request"
        parts.append(event["body"])
        size += len(event["body"])
        if size > bytes_max:
            raise _too_large(bytes_max)
        if not event.get("more_body", False):
            return b"".join(parts)


def header_of(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    """Return the first value of a header, None without it."""
    return next((value.decode("latin-1") for name, value in headers if name == wanted), None)


def _announced(length: str | None) -> int:
    try:
        return 0 if length is None else int(length)
    except ValueError:
        raise ClientException(f"Invalid content-length: {length!r}") from None


def _too_large(bytes_max: int) -> TooLarge:
    return TooLarge(Fault(pointer="", detail=f"the body is longer than {bytes_max:,} bytes"))


def _check_kind(said: str | None, packed: str) -> None:
    """Look at the headers before anything is read."""
    if said is not None and said.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(f"the body must be application/json, not {said[:100]!r}")
    if packed.strip().lower() != "identity":
        raise UnsupportedMediaType(f"the body must come as it is, not packed by {packed[:100]!r}")
