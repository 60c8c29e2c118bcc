"""Structuring unions: which member a value is meant for is told by its kind of JSON, or by a tag."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

import cattrs
import msgspec

from jobmill.application.codec.json_kinds import kind_of
from jobmill.application.codec.strict_objects import is_class, is_map, is_struct, is_typed_dict

Hook = Callable[[object, Any], Any]
_TEXTS: Final = (str, bytes, datetime, date, time, timedelta, UUID, Decimal)
_NOTHING: Final = (type(None), msgspec.UnsetType)


def is_mixed_union(kind: Any) -> bool:  # noqa: ANN401 - cattrs asks with whatever stands in an annotation
    """Tell a union that is more than one class, or None, of those that cattrs tells apart by their fields."""
    origin: object = get_origin(kind)
    if origin not in (Union, UnionType):
        return False
    members = _members(kind)
    return msgspec.UnsetType in get_args(kind) or (len(members) > 1 and not all(map(is_class, members)))


def union_hook(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401
    """Return what reads a union.

    Raises:
        TypeError: two of its members look alike in JSON.
    """
    by_kind: dict[str, list[Any]] = {}
    for member in _members(kind):
        by_kind.setdefault(_json_kind(member), []).append(member)
    readers = {word: _reader(members, word, kind, converter) for word, members in by_kind.items()}
    takes_null = type(None) in get_args(kind)
    wanted = " or ".join([*readers, *(["null"] if takes_null else [])])

    def check(value: object, _: object) -> object:
        if value is None and takes_null:
            return None
        word = kind_of(value)
        reader = readers.get(word)
        if reader is None and word in ("an integer", "a number"):
            reader = readers.get("a number") or readers.get("an integer")
        if reader is None:
            raise TypeError(f"must be {wanted}, not {word}")
        return reader(value)

    return check


def _members(kind: Any) -> Sequence[Any]:  # noqa: ANN401
    return [each for each in get_args(kind) if each not in _NOTHING]


def _reader(
    members: Sequence[Any],
    word: str,
    kind: object,
    converter: cattrs.Converter,
) -> Callable[[object], Any]:
    if len(members) == 1:
        [member] = members
        read = converter.get_structure_hook(member)
        return lambda value: read(value, member)
    if all(map(is_struct, members)):
        return _by_tag(members, converter)
    if all(map(is_class, members)):
        union: Any = Union.__getitem__(tuple(members))
        read = converter.get_structure_hook(union)
        return lambda value: read(value, union)
    raise TypeError(f"{kind} has two members that are {word} in JSON: nobody can tell them apart; keep one")


def _by_tag(members: Sequence[Any], converter: cattrs.Converter) -> Callable[[object], Any]:
    settings = [(get_origin(member) or member).__struct_config__ for member in members]
    fields = {each.tag_field for each in settings}
    hooks = {
        each.tag: (converter.get_structure_hook(member), member)
        for each, member in zip(settings, members, strict=True)
    }
    if len(fields) != 1 or None in fields or len(hooks) != len(members):
        names = ", ".join(str(getattr(member, "__name__", member)) for member in members)
        raise TypeError(f"nobody can tell {names} apart; give each a tag, as in class A(Struct, tag='a')")
    [field] = fields
    choices: Mapping[object, tuple[Hook, Any]] = hooks
    wanted = ", ".join(repr(tag) for tag in choices)

    def read(value: object) -> object:
        tag = value.get(field) if isinstance(value, dict) else None
        if not isinstance(tag, str | int) or tag not in choices:
            raise TypeError(f"must have {field!r}, one of {wanted}")
        hook, member = choices[tag]
        return hook(value, member)

    return read


def _json_kind(kind: Any) -> str:  # noqa: ANN401 - one line for each kind
    while get_origin(kind) is Annotated or hasattr(kind, "__supertype__"):
        kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind.__supertype__
    if get_origin(kind) is Literal:
        return _of_choices(kind, get_args(kind))
    if is_class(kind) or is_struct(kind) or is_typed_dict(kind) or is_map(kind):
        return "an object"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _of_choices(kind, [member.value for member in kind])
    if isinstance(kind, type) and issubclass(kind, _TEXTS):
        return "a text"
    for plain, word in ((bool, "true or false"), (int, "an integer"), (float, "a number")):
        if kind is plain:
            return word
    if kind in (Any, object):
        raise TypeError("a union with Any is Any; write that")
    return "a list"


def _of_choices(kind: object, values: Sequence[object]) -> str:
    words = {kind_of(value) for value in values}
    if len(words) != 1:
        raise TypeError(f"{kind} in a union must hold values of one kind")
    return words.pop()
