"""Payloads that surely fit, told at the speed of C. What is not surely right goes to the rule that says why.

Of a payload class a shadow is made: a msgspec Struct that takes no value which a strict reading as the class
refuses. Where the class has a part in the making of its instances, as by a validator, there is none.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, is_dataclass
from dataclasses import fields as dataclass_fields
from enum import Enum
from types import UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs
import msgspec

#: Read from JSON these are what they are, to a strict reader and to msgspec alike.
_PLAIN: Final[frozenset[object]] = frozenset({str, int, bool, float, UUID, type(None), object, Any})
#: Makers of default values that cannot fail.
_HARMLESS: Final[frozenset[object]] = frozenset({list, dict, set, tuple, frozenset})
_BY_ATTRS: Final = "<attrs generated"


P = TypeVar("P")


class _NoShadow(Exception):
    """Only the rule itself can judge the class."""


def quick_check(model: Any) -> Callable[[object], bool] | None:  # noqa: ANN401 - a class of any kind
    """Return what says whether a payload surely fits, None where that cannot be said of any.

    It takes plain values as they come from JSON, and nothing else: to msgspec a tuple is as good as a list.
    """
    try:
        shadow = _shadow(model, frozenset())
    except (_NoShadow, TypeError, NameError, AttributeError):
        return None

    def surely_fits(value: object) -> bool:
        try:
            msgspec.convert(value, shadow, strict=True)
        except (msgspec.ValidationError, ValueError, OverflowError, RecursionError):
            return False
        return True

    return surely_fits


def quick_reader(model: type[P]) -> Callable[[str], P | None] | None:
    """Return what makes an instance of a JSON text, or None of one that does not surely fit.

    A class that has a shadow is made by msgspec just as by its own constructor, field by field. The shadow is
    asked first, as it alone refuses fields that the class does not have.
    """
    try:
        fits = msgspec.json.Decoder(_shadow(model, frozenset()), strict=True).decode
        make = msgspec.json.Decoder(model, strict=True).decode
    except (_NoShadow, TypeError, NameError, AttributeError):
        return None

    def read(text: str) -> P | None:
        try:
            fits(text)
            return make(text)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            return None

    return read


def _shadow(kind: Any, above: frozenset[Any]) -> Any:  # noqa: ANN401 - one line for each kind
    origin, inside = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return kind if kind is not object else Any
    if origin is Literal and all(type(choice) is str for choice in inside):
        return kind
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _choices(kind)
    if origin in (Union, UnionType) and len(inside) == 2 and type(None) in inside:
        return Union.__getitem__(tuple(_shadow(each, above) for each in inside))
    if origin is list or (origin is tuple and inside[1:] == (...,)):
        return list.__class_getitem__(_shadow(inside[0], above))
    if kind is dict:
        return dict[str, Any]
    if origin in (dict, Mapping) and inside[0] is str:
        return dict.__class_getitem__((str, _shadow(inside[1], above)))
    if isinstance(kind, type) and kind not in above and (attrs.has(kind) or is_dataclass(kind)):
        return _shadow_of_class(kind, above | {kind})
    raise _NoShadow


def _choices(kind: type[Enum]) -> Any:  # noqa: ANN401 - a Literal is no type
    values = tuple(member.value for member in kind)
    if not values or any(type(value) is not str for value in values):
        raise _NoShadow
    return Literal.__getitem__(values)


def _shadow_of_class(kind: Any, above: frozenset[Any]) -> type[msgspec.Struct]:  # noqa: ANN401
    if type(kind) is not type or "__new__" in {name for each in kind.__mro__[:-1] for name in vars(each)}:
        raise _NoShadow
    needed = _attrs_fields(kind) if attrs.has(kind) else _dataclass_fields(kind)
    hints = get_type_hints(kind, include_extras=True)
    fields: list[Any] = []
    for name, is_needed in needed.items():
        shadow = _shadow(hints[name], above)
        fields.append((name, shadow) if is_needed else (name, shadow, None))
    return msgspec.defstruct(kind.__name__, fields, kw_only=True, forbid_unknown_fields=True)


def _attrs_fields(kind: Any) -> Mapping[str, bool]:  # noqa: ANN401 - an attrs class
    """Return the fields, and whether a payload needs each, of a class that takes them just as they are."""
    init = getattr(kind.__init__, "__code__", None)
    is_frozen = getattr(kind.__setattr__, "__module__", None) == "attr._make"
    if init is None or not init.co_filename.startswith(_BY_ATTRS):
        raise _NoShadow
    if hasattr(kind, "__attrs_post_init__") or hasattr(kind, "__attrs_pre_init__"):
        raise _NoShadow
    if not is_frozen and kind.__setattr__ is not object.__setattr__:
        raise _NoShadow
    needed = {}
    for each in attrs.fields(kind):
        if not each.init or each.validator or each.converter or each.alias != each.name:
            raise _NoShadow
        needed[each.name] = each.default is attrs.NOTHING or not _is_harmless(each.default)
    return needed


def _dataclass_fields(kind: Any) -> Mapping[str, bool]:  # noqa: ANN401 - a dataclass
    settings = kind.__dataclass_params__
    if not settings.init or hasattr(kind, "__post_init__"):
        raise _NoShadow
    if not settings.frozen and kind.__setattr__ is not object.__setattr__:
        raise _NoShadow
    needed = {}
    for each in dataclass_fields(kind):
        if not each.init or each.name.startswith("_"):
            raise _NoShadow
        is_made = each.default_factory is not MISSING
        needed[each.name] = each.default_factory not in _HARMLESS if is_made else each.default is MISSING
    return needed


def _is_harmless(default: Any) -> bool:  # noqa: ANN401 - any value, or what makes one
    """A default that cannot fail; where it can, only the rule tells what a payload without the field is."""
    return getattr(default, "factory", list) in _HARMLESS
