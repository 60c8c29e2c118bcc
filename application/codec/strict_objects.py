"""Structuring JSON objects: into the classes that a payload may be made of, and into maps."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, Literal, cast, get_args, get_origin, is_typeddict
from uuid import UUID

import attrs
import cattrs
import msgspec
from cattrs.cols import mapping_structure_factory
from cattrs.errors import AttributeValidationNote, ClassValidationError, ForbiddenExtraKeysError

from jobmill.application.codec.json_kinds import kind_of

#: What a name in a JSON object can be read as: it is a text.
_NAMES: Final = (str, datetime, date, UUID)
Hook = Callable[[Any, Any], Any]


def is_class(kind: Any) -> bool:  # noqa: ANN401 - cattrs asks with whatever stands in an annotation
    """Tell an attrs class or a dataclass."""
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and (attrs.has(origin) or is_dataclass(origin))


def is_typed_dict(kind: Any) -> bool:  # noqa: ANN401 - as above
    """Tell a TypedDict."""
    return is_typeddict(get_origin(kind) or kind)


def is_struct(kind: Any) -> bool:  # noqa: ANN401 - as above
    """Tell a msgspec Struct."""
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, msgspec.Struct)


def is_map(kind: Any) -> bool:  # noqa: ANN401 - as above
    """Tell a dict or a mapping whose names are not known beforehand."""
    return (get_origin(kind) or kind) in (dict, Mapping, MutableMapping)


def class_hook(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401
    """Return what reads an attrs class or a dataclass, its fields under their own names."""
    return _of_object(converter.gen_structure_attrs_fromdict(kind))


def typed_dict_hook(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401
    """Return what reads a TypedDict; what may be left out is left out."""
    return _of_object(converter.gen_structure_typeddict(kind))


def struct_hook(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401
    """Return what reads a Struct, its fields under their encoded names and its tag beside them.

    Raises:
        TypeError: it is written as a JSON list, whose places would be no places of faults.
    """
    origin = get_origin(kind) or kind
    settings = origin.__struct_config__
    if settings.array_like:
        raise TypeError(f"{origin.__name__} has array_like=True; leave it out, a payload names its fields")
    reader = _StructReader(kind, tag_field=settings.tag_field, tag=settings.tag)
    reader.learn(converter)
    return _of_object(reader)


def map_hook(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401
    """Return what reads a map; raises ``TypeError`` for names that are no texts."""
    names, items = get_args(kind) or (Any, Any)
    if not _is_name(names):
        raise TypeError(f"{kind}: a name in a JSON object is a text; use dict[str, …]")
    plain = dict.__class_getitem__((names, items))
    make: Callable[..., Any] = mapping_structure_factory  # typed as if it could only read mappings of nothing
    return _of_object(make(plain, converter), plain)


def _is_name(kind: Any) -> bool:  # noqa: ANN401
    if kind in (Any, object):
        return True
    if get_origin(kind) is Literal:
        return all(isinstance(choice, str) for choice in get_args(kind))
    kind = getattr(kind, "__supertype__", getattr(kind, "__origin__", kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return all(isinstance(member.value, str) for member in kind)
    return isinstance(kind, type) and issubclass(kind, _NAMES)


def _of_object(read: Hook, read_as: Any = None) -> Hook:  # noqa: ANN401
    def check(value: object, kind: Any) -> object:  # noqa: ANN401
        if isinstance(value, dict):
            return read(value, kind if read_as is None else read_as)
        raise TypeError(f"must be an object, not {kind_of(value)}")

    return check


class _StructReader:
    """Reads objects as one class of Struct."""

    def __init__(self, kind: Any, *, tag_field: str | None, tag: str | int | None) -> None:  # noqa: ANN401
        self._make: Callable[..., object] = get_origin(kind) or kind
        self._fields = msgspec.structs.fields(kind)
        self._hooks: dict[str, Hook] = {}
        self._tag_field = tag_field
        self._tag = tag
        self._names = {field.encode_name for field in self._fields} | ({tag_field} if tag_field else set())

    def learn(self, converter: cattrs.Converter) -> None:
        """Find out how the fields are read."""
        for field in self._fields:
            self._hooks[field.name] = converter.get_structure_hook(field.type)

    def __call__(self, value: object, kind: Any) -> object:  # noqa: ANN401
        given = cast("dict[str, object]", value)
        read, errors = self._read(given)
        if unknown := given.keys() - self._names:
            errors.append(ForbiddenExtraKeysError("", cast("type", self._make), set(unknown)))
        if errors:
            raise ClassValidationError("not that class", errors, cast("type", self._make))
        return self._make(**read)

    def _read(self, given: Mapping[str, object]) -> tuple[dict[str, object], list[Exception]]:
        read: dict[str, object] = {}
        errors: list[Exception] = []
        if self._tag_field is not None and given.get(self._tag_field) != self._tag:
            missing = KeyError(self._tag_field) if self._tag_field not in given else None
            errors.append(_at(self._tag_field, missing or TypeError(f"must be {self._tag!r}")))
        for field in self._fields:
            if field.encode_name in given:
                try:
                    read[field.name] = self._hooks[field.name](given[field.encode_name], field.type)
                except Exception as error:  # noqa: BLE001 - whatever a field's own class raises is its fault
                    errors.append(_at(field.encode_name, error))
            elif field.required:
                errors.append(_at(field.encode_name, KeyError(field.encode_name)))
        return read, errors


def _at(name: str, error: Exception) -> Exception:
    error.__notes__ = [*getattr(error, "__notes__", ()), AttributeValidationNote("", name, object)]
    return error
