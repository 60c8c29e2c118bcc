"""Fields of the payload that stand in every line of a job, where its type names them; no others ever do."""

import logging
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import cached_property
from typing import Any, Final

from jobmill.application.codec.payload_schema import PayloadSchema, read_payload
from jobmill.application.errors import InvalidPayload
from jobmill.application.handlers.job_type import HandlerFault, place_of

LOG_FIELDS_MAX: Final = 10
#: Longer texts are cut.
VALUE_CHARS_MAX: Final = 100
#: Larger integers are left out: the text of one may have thousands of digits.
_INTEGER_BITS_MAX: Final = 64
#: The attribute of a record that names its fields of the payload, for whoever writes lines for people.
SHOWN: Final = "log_fields"

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,49}")
_OF_A_RECORD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_OF_A_LINE: Final = frozenset(
    {"time", "level", "logger", "traceback", "stack", "event", "job_id", "type", "attempt", "correlation_id"}
)
#: What a line says already: a field of the payload would stand in its place, or not at all.
TAKEN: Final = _OF_A_RECORD | _OF_A_LINE | {"failure", SHOWN}
_MANY: Final = frozenset({"object", "array"})


def checked_log_fields(
    names: Sequence[str], schema: PayloadSchema[Any], function: Callable[..., object]
) -> tuple[str, ...]:
    """Return the names of a declaration.

    Raises:
        HandlerFault: one of them can never be written, or there are too many.
    """
    place = place_of(function)
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise HandlerFault(f"{place}: log_fields must be names in a tuple, as in log_fields=('call_id',)")
    if len(names) > LOG_FIELDS_MAX or len(set(names)) < len(names):
        raise HandlerFault(f"{place}: log_fields must be at most {LOG_FIELDS_MAX} names, each of them once")
    for name in names:
        if complaint := _complaint(name, schema):
            raise HandlerFault(f"{place}: log_fields names {name[:100]!r}, {complaint}")
    return tuple(names)


def told_fields(payload: str, names: Sequence[str]) -> dict[str, object]:
    """Return what a stored payload has under these names: numbers, true, false, null, and the head of a text.

    What is missing, or is something else, is left out; so is everything where the payload cannot be read.
    """
    try:
        values = read_payload(payload)
    except InvalidPayload:
        return {}
    if not isinstance(values, dict):
        return {}
    return {name: _short(values[name]) for name in names if name in values and _is_short(values[name])}


class JobLog(logging.LoggerAdapter[logging.Logger]):
    """A handler's own log. The payload is looked at when the first line is written."""

    def __init__(
        self, logger: logging.Logger, fields: Mapping[str, object], tell: Callable[[], Mapping[str, object]]
    ) -> None:
        """Begin.

        Args:
            fields: what every line carries.
            tell: returns the fields of the payload that it carries too.
        """
        super().__init__(logger, fields)
        self._fields = fields
        self._tell = tell

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:  # noqa: ANN401
        """See ``logging.LoggerAdapter``."""
        kwargs["extra"] = self._extra
        return msg, kwargs

    @cached_property
    def _extra(self) -> Mapping[str, object]:
        return with_shown(self._fields, self._tell())


def with_shown(fields: Mapping[str, object], told: Mapping[str, object]) -> Mapping[str, object]:
    """Return the fields of a record, those of the payload among them, and the names of these."""
    return {**fields, **told, SHOWN: tuple(told)} if told else fields


def _complaint(name: str, schema: PayloadSchema[Any]) -> str | None:
    if not _NAME.fullmatch(name):
        return "which is no name: a letter or _, then up to 49 letters, digits and _"
    if name in TAKEN:
        return "which every line has already; let the payload call it something else"
    fields = _meant(schema.json_schema, schema).get("properties")
    if fields is None:  # a dict, which may have anything
        return None
    if name not in fields:
        return f"and the payload has no such field; it has {', '.join(fields) or 'none'}"
    if _meant(fields[name], schema).get("type") in _MANY:
        return "which is no single value; only texts, numbers, true, false and null are written"
    return None


def _meant(described: Mapping[str, Any], schema: PayloadSchema[Any]) -> Mapping[str, Any]:
    """What a schema is, or what it refers to."""
    reference = described.get("$ref")
    if reference is None:
        return described
    found: Any = schema.components[reference.rpartition("/")[2]]
    return dict(found)


def _is_short(value: object) -> bool:
    if isinstance(value, int):
        return value.bit_length() <= _INTEGER_BITS_MAX
    return value is None or isinstance(value, str | float)


def _short(value: object) -> object:
    is_long = isinstance(value, str) and len(value) > VALUE_CHARS_MAX
    return f"{str(value)[: VALUE_CHARS_MAX - 1]}…" if is_long else value
