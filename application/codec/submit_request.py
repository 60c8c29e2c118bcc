"""A request for a job, as plain values: read strictly, with everything noted that is wrong with it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from jobmill.application.codec.strict_json import FAULTS_MAX, pointer_token
from jobmill.application.codec.strict_structure import STRICT
from jobmill.application.commands import NO_OPTIONS, SubmitJob
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.options import TAGS_MAX, JobOptions, Unique
from jobmill.domain.states import Priority

#: Far beyond every duration that a rule allows, and still a duration, so that the rule itself refuses it.
_BEYOND_S: Final = 1e10
#: Of an unknown name, to be told to its sender.
_NAME_CHARS: Final = 100

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_Read = Callable[[object], object]


def read_submit(value: object, *, idempotency_key: str | None = None) -> SubmitJob:
    """Return the command that a request asks for.

    What is wrong with the request does not stop the reading: it stands in ``faults`` of the command, and
    ``Submitter.submit`` refuses such a command with all its faults, those of the payload included.

    Args:
        value: plain values, as read from JSON: an object with ``type``, ``payload`` and the options.
        idempotency_key: a key that came beside the request; another one inside of it is a fault.
    """
    if not isinstance(value, dict):
        return _unreadable(Fault(pointer="", detail="must be an object with a type and a payload"))
    wishes: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, item in islice(value.items(), FAULTS_MAX):
        field, read = _FIELDS.get(name, _UNKNOWN)
        try:
            wishes[field] = read(item)
        except TypeError as error:
            faults.append(Fault(pointer=pointer_token(name[:_NAME_CHARS]), detail=str(error)))
        except InvalidInput as error:
            faults.extend(error.below(pointer_token(name)).faults)
    faults += [
        Fault(pointer=f"/{name}", detail="is required") for name in ("type", "payload") if name not in value
    ]
    job_type, payload = wishes.pop("type", ""), wishes.pop("payload", None)
    if (
        idempotency_key is not None
        and wishes.setdefault("idempotency_key", idempotency_key) != idempotency_key
    ):
        detail = "differs from the key in the header Idempotency-Key; give one of them"
        faults.append(Fault(pointer="/idempotency_key", detail=detail))
    options = JobOptions(**wishes) if wishes else NO_OPTIONS
    return SubmitJob(type=job_type, payload=payload, options=options, is_plain=True, faults=tuple(faults))


def read_time(value: object) -> datetime:
    """Return an RFC 3339 time with its zone; raises ``TypeError``, with the rule, for anything else."""
    time: datetime = STRICT.structure(value, datetime)
    return time


def _unreadable(fault: Fault) -> SubmitJob:
    return SubmitJob(type="", payload=None, faults=(fault,))


def _as(kind: type) -> _Read:
    structure = STRICT.get_structure_hook(kind)
    return lambda value: structure(value, kind)


_text: Final = _as(str)
_number: Final = _as(float)


def _seconds(value: object) -> timedelta:
    number = _number(value)
    assert isinstance(number, float)
    return timedelta(seconds=max(-_BEYOND_S, min(number, _BEYOND_S)))


def _tags(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("must be a list of texts")
    if len(value) > TAGS_MAX:
        raise TypeError(f"at most {TAGS_MAX} tags")
    faults = [
        Fault(pointer=f"/{at}", detail="must be a text")
        for at, tag in enumerate(value)
        if type(tag) is not str
    ]
    if faults:
        raise InvalidInput(*faults)
    return tuple(value)


def _unique(value: object) -> Unique:
    """A key alone, or an object with the key and how long it is held at least."""
    if isinstance(value, str):
        return Unique(key=value)
    if not isinstance(value, dict):
        raise TypeError("must be a text, or an object with a key and hold_s")
    read: dict[str, Any] = {}
    faults = [] if "key" in value else [Fault(pointer="/key", detail="is required")]
    for name, item in islice(value.items(), FAULTS_MAX):
        field, reader = _UNIQUE_FIELDS.get(name, _UNKNOWN)
        try:
            read[field] = reader(item)
        except TypeError as error:
            faults.append(Fault(pointer=pointer_token(name[:_NAME_CHARS]), detail=str(error)))
    if faults:
        raise InvalidInput(*faults)
    return Unique(**read)


def _follows(value: object) -> UUID | int:
    """A stored job by its id, or one of the same request by its number."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    if type(value) is not int:
        raise TypeError("must be the id of a job, or the number of an earlier one of the same request")
    return value


def _unknown(_: object) -> object:
    raise TypeError("unknown field")


_UNKNOWN: Final[tuple[str, _Read]] = ("", _unknown)
_UNIQUE_FIELDS: Final[Mapping[str, tuple[str, _Read]]] = {"key": ("key", _text), "hold_s": ("hold", _seconds)}
#: The names of a request, what they are called inside, and how they are read.
_FIELDS: Final[Mapping[str, tuple[str, _Read]]] = {
    "type": ("type", _text),
    "payload": ("payload", lambda value: value),
    "queue": ("queue", _text),
    "priority": ("priority", _as(Priority)),
    "run_at": ("run_at", read_time),
    "delay_s": ("delay", _seconds),
    "ttl_s": ("ttl", _seconds),
    "max_attempts": ("max_attempts", _as(int)),
    "timeout_s": ("timeout", _seconds),
    "correlation_id": ("correlation_id", _text),
    "idempotency_key": ("idempotency_key", _text),
    "tenant": ("tenant", _text),
    "tags": ("tags", _tags),
    "unique": ("unique", _unique),
    "follows": ("follows", _follows),
}
FIELD_NAMES: Final = tuple(_FIELDS)
