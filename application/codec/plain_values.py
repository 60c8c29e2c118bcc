"""Payloads as plain values: what would stand in a request, whatever class they are of."""

import math
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, Final, cast

import attrs
import msgspec

from jobmill.application.codec.strict_json import canonical_json, pointer_token
from jobmill.application.errors import InvalidPayload
from jobmill.domain.errors import Fault

_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**64 - 1
#: Deeper than any request may nest, and far from the end of the stack.
_DEPTH_MAX: Final = 100
_NO_JSON: Final = (TypeError, ValueError, OverflowError, RecursionError)


def plain_value(value: object, pointer: str = "/payload") -> Any:  # noqa: ANN401 - any JSON
    """Return a value as plain ones, fields under the names that ``PayloadSchema.structure`` reads.

    The items of a set are sorted by their JSON, so that equal payloads are equal requests.

    Raises:
        InvalidPayload: with the place of what JSON cannot carry.
    """
    return _plain(value, pointer, 0)


def _plain(value: Any, pointer: str, depth: int) -> Any:  # noqa: ANN401 - one line for each kind
    if depth > _DEPTH_MAX:
        raise _refused(pointer, "nests too deep, or holds itself")
    if value is None or isinstance(value, bool | str | int | float | Enum):
        return _scalar(value, pointer)
    if isinstance(value, Mapping):
        named = ((_name(name, pointer), item) for name, item in value.items())
        return {name: _plain(item, pointer + pointer_token(name), depth + 1) for name, item in named}
    if isinstance(value, list | tuple | Set):
        items = [_plain(item, pointer + pointer_token(at), depth + 1) for at, item in enumerate(value)]
        return sorted(items, key=canonical_json) if isinstance(value, Set) else items
    if (fields := _fields(value)) is not None:
        return {
            name: _plain(item, pointer + pointer_token(name), depth + 1)
            for name, item in fields
            if item is not msgspec.UNSET
        }
    try:
        return msgspec.to_builtins(value)
    except _NO_JSON:
        raise _refused(pointer, f"a {type(value).__name__} is no JSON") from None


def _scalar(value: Any, pointer: str) -> Any:  # noqa: ANN401
    match value:
        case Enum():
            return _scalar(value.value, pointer)
        case None | bool():
            return value
        case str():
            return _text(value, pointer)
        case int():
            return _integer(value, pointer)
        case float():
            return _number(value, pointer)
        case _:
            return _plain(value, pointer, 0)


def _fields(value: Any) -> Iterable[tuple[str, Any]] | None:  # noqa: ANN401
    """Return what an object of a class consists of, by the names in JSON; None for other values."""
    kind = cast("Any", type(value))
    if isinstance(value, msgspec.Struct):
        return _struct_fields(value)
    if attrs.has(kind):
        return ((each.name, getattr(value, each.name)) for each in attrs.fields(kind) if each.init)
    if is_dataclass(kind):
        return ((each.name, getattr(value, each.name)) for each in dataclass_fields(kind) if each.init)
    return None


def _struct_fields(value: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    settings = value.__struct_config__
    if settings.tag_field is not None:
        yield settings.tag_field, settings.tag
    for each in msgspec.structs.fields(value):
        yield each.encode_name, getattr(value, each.name)


def _name(name: object, pointer: str) -> str:
    plain = _plain(name, pointer, 0)
    if isinstance(plain, str):
        return plain
    raise _refused(pointer, f"the name {name!r:.100} is no text, and names in JSON are")


def _text(text: str, pointer: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refused(pointer, "holds half a surrogate pair, which no text in JSON can") from None
    return str(text)


def _integer(number: int, pointer: str) -> int:
    if not _INTEGER_MIN <= number <= _INTEGER_MAX:
        raise _refused(pointer, "an integer in a payload has at most 64 bits; write a longer one as a text")
    return int(number)


def _number(number: float, pointer: str) -> float:
    if not math.isfinite(number):
        raise _refused(pointer, f"{number} is no number in JSON")
    return float(number)


def _refused(pointer: str, detail: str) -> InvalidPayload:
    return InvalidPayload(Fault(pointer=pointer, detail=detail))
