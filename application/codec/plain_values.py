"""Payloads as plain values: what would stand in a request, whatever class they are of."""

import math
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeVar

import attrs
import msgspec

from jobmill.application.codec.strict_json import canonical_json, pointer_token
from jobmill.application.errors import InvalidPayload
from jobmill.domain.errors import Fault

T = TypeVar("T")

_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**64 - 1
#: Deeper than any request may nest, and far from the end of the stack.
_DEPTH_MAX: Final = 100
_NOTHING: Final = object()
_OTHERS: Final = (Mapping, list, tuple, Set, str, int, float, Enum, msgspec.Struct)
_NO_JSON: Final = (TypeError, ValueError, OverflowError, RecursionError)


def plain_value(value: object, pointer: str = "/payload") -> Any:  # noqa: ANN401 - any JSON
    """Return a value as plain ones, fields under the names that ``PayloadSchema.structure`` reads.

    The items of a set are sorted by their JSON, so that equal payloads are equal requests.

    Raises:
        InvalidPayload: with the place of what JSON cannot carry.
    """
    try:
        return _plain(value, 0)
    except InvalidPayload as refusal:
        raise refusal.below(pointer) from None


def _plain(value: Any, depth: int) -> Any:  # noqa: ANN401 - one line for each kind
    """Return the plain value; refusals carry their places below it, put together on their way out."""
    if depth > _DEPTH_MAX:
        raise _refused("nests too deep, or holds itself")
    kind: Any = type(value)
    if kind is str or value is None or kind is bool:  # nearly all of most payloads
        return _text(value) if kind is str and not value.isascii() else value
    if (names := _names_of(kind)) is not None:
        values = [getattr(value, name) for name in names]
        if all(map(_is_plain, values)):
            return dict(zip(names, values, strict=True))
        return _items(zip(names, values, strict=True), depth, msgspec.UNSET)
    if isinstance(value, str | int | float | Enum):
        return _scalar(value)
    if isinstance(value, Mapping):
        return _items(((_name(name), item) for name, item in value.items()), depth)
    if isinstance(value, list | tuple | Set):
        items = list(_items(enumerate(value), depth).values())
        return sorted(items, key=canonical_json) if isinstance(value, Set) else items
    if isinstance(value, msgspec.Struct):
        return _items(_struct_fields(value), depth, msgspec.UNSET)
    try:
        return msgspec.to_builtins(value)
    except _NO_JSON:
        raise _refused(f"a {kind.__name__} is no JSON") from None


def _is_plain(value: Any) -> bool:  # noqa: ANN401
    """The value is plain already, and JSON can carry it; so are nearly all fields of most payloads."""
    kind: Any = type(value)
    if kind is str:
        return bool(value.isascii())
    return value is None or kind is bool or (kind is int and _INTEGER_MIN <= value <= _INTEGER_MAX)


def _items(steps: Iterable[tuple[T, Any]], depth: int, left_out: object = _NOTHING) -> dict[T, Any]:
    """Return the plain values by their steps, which are names or places."""
    plain: dict[T, Any] = {}
    for step, item in steps:
        if item is left_out:
            continue
        try:
            plain[step] = _plain(item, depth + 1)
        except InvalidPayload as refusal:
            raise refusal.below(pointer_token(step)) from None
    return plain


def _scalar(value: Any) -> Any:  # noqa: ANN401
    match value:
        case Enum():
            return _plain(value.value, 0)
        case str():
            return _text(value)
        case int():
            return _integer(value)
        case _:
            return _number(value)


@lru_cache(maxsize=1_000)
def _names_of(kind: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - a class of any kind
    """Return the fields of an attrs class or a dataclass that its constructor takes; None for other classes.

    A class that is a list, a map or a scalar as well counts as that.
    """
    if issubclass(kind, _OTHERS):
        return None
    if attrs.has(kind):
        return tuple(each.name for each in attrs.fields(kind) if each.init)
    if is_dataclass(kind):
        return tuple(each.name for each in dataclass_fields(kind) if each.init)
    return None


def _struct_fields(value: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    settings = value.__struct_config__
    if settings.tag_field is not None:
        yield settings.tag_field, settings.tag
    for each in msgspec.structs.fields(value):
        yield each.encode_name, getattr(value, each.name)


def _name(name: object) -> str:
    plain = _plain(name, 0)
    if isinstance(plain, str):
        return plain
    raise _refused(f"the name {name!r:.100} is no text, and names in JSON are")


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refused("holds half a surrogate pair, which no text in JSON can") from None
    return str(text)


def _integer(number: int) -> int:
    if not _INTEGER_MIN <= number <= _INTEGER_MAX:
        raise _refused("an integer in a payload has at most 64 bits; write a longer one as a text")
    return int(number)


def _number(number: float) -> float:
    if not math.isfinite(number):
        raise _refused(f"{number} is no number in JSON")
    return float(number)


def _refused(detail: str) -> InvalidPayload:
    return InvalidPayload(Fault(pointer="", detail=detail))
