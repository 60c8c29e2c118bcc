"""What the payloads of a type look like: checked strictly at the door, structured for the handler."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Generic, TypeVar, get_origin, is_typeddict

import msgspec
from cattrs.errors import (
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)

from jobmill.application.codec.json_schema import describe
from jobmill.application.codec.plain_values import plain_value
from jobmill.application.codec.quick_check import quick_check, quick_reader
from jobmill.application.codec.strict_json import pointer_token, write_json
from jobmill.application.codec.strict_objects import is_class, is_map, is_struct, is_typed_dict
from jobmill.application.codec.strict_structure import STRICT
from jobmill.application.errors import InvalidPayload
from jobmill.domain.errors import Fault

P = TypeVar("P")


#: What encoder and decoder say of what is no JSON.
_NO_JSON: Final = (TypeError, ValueError, OverflowError, RecursionError)
#: attrs' own validators begin with the attribute; their error carries no other trace of it.
_VALIDATOR_MESSAGE: Final = re.compile(r"'(\w+)' ")


class UnencodableResult(ValueError):
    """A handler returned something that is no JSON, or too much of it."""


class PayloadSchema(Generic[P]):
    """The schema of one payload class: attrs, dataclass, msgspec Struct, TypedDict, or a plain ``dict``."""

    def __init__(self, model: type[P]) -> None:
        """Prepare the schema.

        Raises:
            TypeError: a field of the class has a type that JSON cannot carry, or it is no such class.
        """
        if not any(fits(model) for fits in (is_class, is_struct, is_typed_dict, is_map)):
            kinds = "an attrs class, a dataclass, a msgspec Struct, a TypedDict or a dict"
            raise TypeError(f"{model!r} is no class for a JSON object; use {kinds}")
        self.model = model
        self._structure: Callable[[object, Any], P] = STRICT.get_structure_hook(model)
        self._surely_fits = quick_check(model)
        self._read_quickly = quick_reader(model)
        self.json_schema, self.components = describe(model)

    def structure(self, value: object) -> P:
        """Return the payload as the handler wants it.

        Args:
            value: plain values, as read from JSON.

        Raises:
            InvalidPayload: with every fault and its place below ``/payload``.
        """
        if not isinstance(value, dict):
            raise InvalidPayload(Fault(pointer="/payload", detail="must be an object"))
        try:
            return self._structure(value, self.model)
        except (BaseValidationError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise InvalidPayload(*_faults(error, "/payload")) from None

    def check(self, value: object) -> None:
        """Check a payload as ``structure`` does, and make nothing of it.

        Args:
            value: plain values that were read from JSON, or that ``dump`` returned.
        """
        if self._surely_fits is None or not self._surely_fits(value):
            self.structure(value)

    def read(self, text: str) -> P:
        """Return the payload of a stored job; raises ``InvalidPayload`` if this code cannot read it."""
        made = self._read_quickly(text) if self._read_quickly is not None else None
        return self.structure(read_payload(text)) if made is None else made

    def dump(self, payload: P) -> dict[str, Any]:
        """Return a payload as plain values, as they would stand in a request.

        Raises:
            InvalidPayload: it is no instance of the payload class, or holds what its own fields do not allow.
        """
        kind = get_origin(self.model) or self.model
        if is_typeddict(kind) or kind is Mapping:
            kind = dict
        if not isinstance(payload, kind):
            detail = f"must be a {kind.__name__}, not a {type(payload).__name__}"
            raise InvalidPayload(Fault(pointer="/payload", detail=detail))
        value = plain_value(payload)
        self.check(value)
        assert isinstance(value, dict)
        return value


def read_payload(text: str) -> object:
    """Return a stored payload as plain values; raises ``InvalidPayload`` if it is no JSON."""
    try:
        return msgspec.json.decode(text)
    except _NO_JSON as error:
        raise InvalidPayload(Fault(pointer="/payload", detail=f"is no JSON: {error}")) from None


def write_payload(value: object) -> str:
    """Return a payload as JSON text; raises ``InvalidPayload`` where a client in this process gave none."""
    try:
        return write_json(value)
    except _NO_JSON as error:
        raise InvalidPayload(Fault(pointer="/payload", detail=f"is no JSON: {error}")) from None


def write_result(value: object, *, limit_bytes: int) -> str | None:
    """Return a handler's return value as JSON text; None stays None.

    Raises:
        UnencodableResult: it is no JSON, or longer than ``limit_bytes``.
    """
    if value is None:
        return None
    try:
        text = write_json(value)
    except _NO_JSON as error:
        raise UnencodableResult(f"the handler's result is no JSON: {error}") from None
    if len(text.encode()) > limit_bytes:
        size = f"{len(text.encode()):,} bytes, {limit_bytes:,} are allowed"
        raise UnencodableResult(f"the handler's result is too large: {size}; store it and return where it is")
    return text


def _faults(error: BaseException, pointer: str) -> list[Fault]:
    """Flatten what cattrs reports into places and sentences."""
    return list(_walk(error, pointer))


def _walk(error: BaseException, pointer: str) -> Iterator[Fault]:
    if isinstance(error, ExceptionGroup):
        for inner, step in _inside(error):
            yield from _walk(inner, pointer + step)
    elif isinstance(error, ForbiddenExtraKeysError):
        for name in sorted(map(str, error.extra_fields)):
            yield Fault(pointer=pointer + pointer_token(name), detail="unknown field")
    elif isinstance(error, KeyError):
        yield Fault(pointer=pointer, detail="is required")
    else:
        detail = str(error.args[0]) if error.args else "is not valid"
        named = _VALIDATOR_MESSAGE.match(detail)
        yield Fault(pointer=pointer + pointer_token(named[1]) if named else pointer, detail=detail)


def _inside(error: ExceptionGroup[Exception]) -> Iterator[tuple[Exception, str]]:
    """The errors of a group, each with its step below the place of the group.

    A group that is not cattrs' own comes from a class that checks its fields itself: its faults name them.
    """
    if isinstance(error, ClassValidationError):
        of_fields, bare = error.group_exceptions()
        yield from ((inner, pointer_token(note.name)) for inner, note in of_fields)
    elif isinstance(error, IterableValidationError):
        of_items, bare = error.group_exceptions()
        yield from ((inner, pointer_token(note.index)) for inner, note in of_items)
    else:
        bare = list(error.exceptions)
    yield from ((inner, "") for inner in bare)
