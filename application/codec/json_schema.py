"""The JSON Schema of a payload class, as strict as the class is read."""

from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from typing import Any, Final

import attrs
import msgspec
from msgspec import inspect

_HERE: Final = "#/components/schemas/"
_CLASSES: Final = (inspect.StructType, inspect.TypedDictType, inspect.DataclassType, inspect.NamedTupleType)


def describe(model: Any) -> tuple[Mapping[str, object], Mapping[str, object]]:  # noqa: ANN401 - a class of any kind
    """Return the schema and, by name, the components that it refers to as ``#/components/schemas/…``.

    Raises:
        TypeError, NotImplementedError: JSON cannot carry a part of it.
    """
    (schema,), components = msgspec.json.schema_components(
        [model], schema_hook=_any_schema, ref_template=_HERE + "{name}"
    )
    for component in components.values():
        if component.get("type") == "object" and "properties" in component:
            component["additionalProperties"] = False
    _Sharpening(components).sharpen(inspect.type_info(model), schema)
    return schema, components


def _any_schema(kind: type) -> dict[str, object]:
    if kind is object:
        return {"description": "any JSON value"}  # an empty schema would count as none
    raise NotImplementedError


class _Sharpening:
    """Writes into a schema what holds for our reading of its classes and msgspec leaves out.

    A time has its zone, an item may stand twice in the list of a set, and a field that no caller may set is
    unknown.
    """

    def __init__(self, components: Mapping[str, dict[str, Any]]) -> None:
        self._components = components
        self._done: set[str] = set()

    def sharpen(self, info: inspect.Type, schema: Any) -> None:  # noqa: ANN401 - any JSON
        """Go through a type and its schema side by side."""
        if isinstance(info, inspect.Metadata):
            self.sharpen(info.type, schema)
        elif isinstance(info, inspect.UnionType):
            self._sharpen_union(info, schema)
        elif isinstance(info, inspect.DateTimeType):
            schema["format"] = "date-time"
        elif isinstance(info, inspect.TupleType):
            for item, described in zip(info.item_types, schema.get("prefixItems", ()), strict=False):
                self.sharpen(item, described)
        elif isinstance(info, inspect.CollectionType):
            schema.pop("uniqueItems", None)
            self.sharpen(info.item_type, schema.get("items", {}))
        elif isinstance(info, inspect.DictType):
            self.sharpen(info.value_type, schema.get("additionalProperties", {}))
        elif isinstance(info, _CLASSES):
            self._sharpen_class(info, str(schema.get("$ref", "")).removeprefix(_HERE))

    def _sharpen_class(self, info: Any, name: str) -> None:  # noqa: ANN401 - one of four without a common base
        if name in self._done or name not in self._components:
            return
        self._done.add(name)
        properties = self._components[name].get("properties", {})
        for field in info.fields:
            if field.encode_name in properties:
                self.sharpen(field.type, properties[field.encode_name])
        for hidden in _never_given(info.cls):
            properties.pop(hidden, None)

    def _sharpen_union(self, union: inspect.UnionType, schema: Mapping[str, Any]) -> None:
        """Members stand in another order, so each is found by what only it can look like."""
        for info in union.types:
            inner = info.type if isinstance(info, inspect.Metadata) else info
            for described in schema.get("anyOf", ()):
                if _looks_like(inner, described, self._components):
                    self.sharpen(inner, described)


def _looks_like(info: inspect.Type, schema: Mapping[str, Any], components: Mapping[str, Any]) -> bool:
    if isinstance(info, _CLASSES):
        name = str(schema.get("$ref", "")).removeprefix(_HERE)
        title = getattr(info.cls, "__name__", "")
        return name in components and title in components[name].get("title", "")
    wanted = {
        inspect.DateTimeType: "string",
        inspect.TupleType: "array",
        inspect.DictType: "object",
    }.get(type(info), "array" if isinstance(info, inspect.CollectionType) else "")
    return schema.get("type") == wanted and "$ref" not in schema


def _never_given(kind: Any) -> list[str]:  # noqa: ANN401
    """Return the fields of a class that its constructor does not take."""
    if isinstance(kind, type) and attrs.has(kind):
        return [each.name for each in attrs.fields(kind) if not each.init]
    if isinstance(kind, type) and is_dataclass(kind):
        return [each.name for each in dataclass_fields(kind) if not each.init]
    return []
