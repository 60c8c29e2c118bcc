"""Refusals of the HTTP API, made into the errors that the same call raises on a database."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from jobmill.application.errors import (
    BrokerUnavailable,
    IdempotencyConflict,
    InvalidPayload,
    JobNotFound,
    QueueFull,
    SetupFault,
    StaleJob,
    StorageUnavailable,
    StorageUnknown,
    TooLarge,
    Unavailable,
    UnknownType,
)
from jobmill.domain.errors import Fault, IllegalTransition, InvalidInput, JobmillError

_KINDS: Final[Mapping[str, type[JobmillError]]] = {
    kind.code: kind
    for kind in (
        BrokerUnavailable,
        IdempotencyConflict,
        IllegalTransition,
        InvalidInput,
        InvalidPayload,
        JobNotFound,
        QueueFull,
        SetupFault,
        StaleJob,
        StorageUnavailable,
        StorageUnknown,
        TooLarge,
        Unavailable,
        UnknownType,
    )
}
_READERS: Final[Mapping[str, Callable[[str], object]]] = {"job_id": UUID}
_ABOUT: Final = ("job_id", "key", "state", "verb", "queue")
_RETRY_AFTER_S: Final = 2
_SERVER_ERRORS: Final = 500
_NO_ENTRY: Final = frozenset({401, 403})


class _Fault(msgspec.Struct):
    pointer: str
    detail: str


class _Problem(msgspec.Struct):
    code: str
    detail: str
    errors: list[_Fault] = []
    about: dict[str, str] = {}


def error_of(status: int, body: bytes, *, place: str, retry_after: str | None) -> JobmillError:
    """Return the error that an answer stands for.

    Args:
        status: 400 or above, or any that is no answer of this API.
        place: the API's address, for a person.
        retry_after: the header of that name.
    """
    wait = timedelta(seconds=_seconds(retry_after))
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, RecursionError):
        return _foreign(status, place, wait)
    kind = _KINDS.get(problem.code)
    if kind is None and status >= _SERVER_ERRORS:
        return _made(Unavailable, f"{place} failed: {problem.detail}", retry_after=wait, code=problem.code)
    if kind is None and status in _NO_ENTRY:
        return _made(SetupFault, f"{place} refuses: {problem.detail}", code=problem.code)
    if kind is None:
        return _made(JobmillError, problem.detail, code=problem.code)
    if issubclass(kind, InvalidInput) and problem.errors:
        faults = (Fault(pointer=each.pointer, detail=each.detail) for each in problem.errors)
        return kind.__new__(kind).naming(faults)
    known = {name: _READERS.get(name, str)(text) for name, text in problem.about.items() if name in _ABOUT}
    if issubclass(kind, Unavailable):
        known["retry_after"] = wait
    return _made(kind, problem.detail, **known)


def _foreign(status: int, place: str, wait: timedelta) -> JobmillError:
    """What stands between us and Jobmill speaks, or something else than Jobmill."""
    if status >= _SERVER_ERRORS:
        return Unavailable(f"{place} answers with status {status}", retry_after=wait)
    if status in _NO_ENTRY:
        return SetupFault(f"{place} answers with status {status}: give `api_key=` a key that it takes")
    return SetupFault(
        f"{place} answers with status {status} and not as Jobmill does; is it the address of its HTTP API?"
    )


def _made(kind: type[JobmillError], detail: str, **facts: Any) -> JobmillError:
    """Return an error with the server's words, which its class makes of what only the server has."""
    error = kind.__new__(kind)
    Exception.__init__(error, detail)
    for name, value in facts.items():
        setattr(error, name, value)
    if issubclass(kind, InvalidInput):
        error.faults = (Fault(pointer="", detail=detail),)  # type: ignore[attr-defined]
    return error


def _seconds(retry_after: str | None) -> int:
    if retry_after is not None and retry_after.isdigit() and len(retry_after) < 6:
        return int(retry_after)
    return _RETRY_AFTER_S
