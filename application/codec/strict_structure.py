"""Structuring without mercy: a value of another kind is refused, never turned into the wanted one."""

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, cast, get_args, get_origin
from uuid import UUID

import cattrs
import msgspec
from cattrs.cols import list_structure_factory

from jobmill.application.codec.json_kinds import kind_of
from jobmill.application.codec.strict_constraints import constrained_hook, is_constrained
from jobmill.application.codec.strict_objects import (
    class_hook,
    is_class,
    is_map,
    is_struct,
    is_typed_dict,
    map_hook,
    struct_hook,
    typed_dict_hook,
)
from jobmill.application.codec.strict_unions import is_mixed_union, union_hook

_TIME: Final = "a time with its zone, as in 2030-01-31T08:00:00Z"
#: The texts that have a form: the class they become, the form's name in JSON Schema, and the words for it.
_TEXTS: Final = (
    (date, "date", "a date, as in 2030-01-31"),
    (UUID, "uuid", "a UUID"),
    (time, "time", "a time of day, as in 08:30:00"),
    (timedelta, "duration", "a duration, as in PT1H30M"),
    (Decimal, "decimal", "a decimal number as a text, as in '1.50'"),
    (bytes, "base64", "bytes as a text in base64"),
)


def _exactly(kind: type, wanted: str) -> Callable[[object, Any], Any]:
    def check(value: object, _: object) -> object:
        if type(value) is kind:
            return value
        raise TypeError(f"must be {wanted}, not {kind_of(value)}")

    return check


def _integer(value: object, _: object) -> int:
    """JSON has one kind of number: 30.0 is 30, and JSON Schema calls both an integer."""
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise TypeError(f"must be an integer, not {kind_of(value)}")


def _number(value: object, _: object) -> float:
    if type(value) in (int, float):
        return float(cast("float", value))
    raise TypeError(f"must be a number, not {kind_of(value)}")


def _time(value: object, _: object) -> datetime:
    try:
        return msgspec.convert(value, datetime, strict=True) if _has_zone(value) else _refuse_time()
    except msgspec.ValidationError:
        return _refuse_time()


def _has_zone(value: object) -> bool:
    return isinstance(value, str) and (value[-1:] in {"Z", "z"} or value[-6:-5] in {"+", "-"})


def _refuse_time() -> datetime:
    raise TypeError(f"must be {_TIME}")


def _text_of(kind: type, wanted: str) -> Callable[[object, Any], Any]:
    def check(value: object, _: object) -> object:
        try:
            if isinstance(value, str):
                return msgspec.convert(value, kind, strict=True)
        except msgspec.ValidationError:
            pass
        raise TypeError(f"must be {wanted}")

    return check


def _choice(value: object, kind: type[Enum]) -> Enum:
    for member in kind:
        if type(member.value) is type(value) and member.value == value:
            return member
    raise TypeError("must be one of " + ", ".join(repr(member.value) for member in kind))


def _literal(value: object, kind: Any) -> object:  # noqa: ANN401 - a Literal is no type
    if any(type(value) is type(choice) and value == choice for choice in get_args(kind)):
        return value
    raise TypeError("must be one of " + ", ".join(map(repr, get_args(kind))))


def _is_literal(kind: object) -> bool:
    origin: object = get_origin(kind)
    return origin is Literal


def _as_it_is(value: object, _: object) -> object:
    return value


def _is_row(kind: Any) -> bool:  # noqa: ANN401 - cattrs asks with whatever stands in an annotation
    """All JSON lists but tuples of mixed types, whose length and places mean something."""
    origin = get_origin(kind) or kind
    if origin is tuple:
        return get_args(kind)[1:] == (...,)
    return isinstance(origin, type) and issubclass(origin, Sequence | Set) and origin not in (str, bytes)


def _row_hook(kind: Any, converter: cattrs.Converter) -> Callable[[object, Any], Any]:  # noqa: ANN401
    items = list.__class_getitem__((*get_args(kind), Any)[0])
    read_items = list_structure_factory(cast("type", items), converter)
    build = {tuple: tuple, set: set, frozenset: frozenset}.get(get_origin(kind) or kind, list)

    def check(value: object, _: object) -> object:
        if isinstance(value, list):
            return build(read_items(value, items))
        raise TypeError(f"must be a list, not {kind_of(value)}")

    return check


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook(str, _exactly(str, "a text"))
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(bool, _exactly(bool, "true or false"))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(datetime, _time)
    for kind, _, wanted in _TEXTS:
        converter.register_structure_hook(kind, _text_of(kind, wanted))
    converter.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and issubclass(kind, Enum), _choice
    )
    converter.register_structure_hook_func(_is_literal, _literal)
    converter.register_structure_hook_func(lambda kind: kind in (object, Any), _as_it_is)
    converter.register_structure_hook_factory(_is_row, _row_hook)
    converter.register_structure_hook_factory(is_map, map_hook)
    converter.register_structure_hook_factory(is_class, class_hook)
    converter.register_structure_hook_factory(is_typed_dict, typed_dict_hook)
    converter.register_structure_hook_factory(is_struct, struct_hook)
    converter.register_structure_hook_factory(is_mixed_union, union_hook)
    converter.register_structure_hook_factory(is_constrained, constrained_hook)
    return converter


STRICT: Final = _make_converter()
#: How the same texts are held against a JSON Schema, by the name of their form, and the words for it.
STRICT_TEXTS: Final[Mapping[str, tuple[Callable[[object, Any], Any], str]]] = {
    "date-time": (_time, _TIME),
    **{form: (_text_of(kind, wanted), wanted) for kind, form, wanted in _TEXTS},
}
