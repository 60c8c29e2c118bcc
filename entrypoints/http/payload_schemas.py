"""The schemas of payloads, as they stand alone and as parts of the whole description."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from jobmill.application.codec.payload_schema import PayloadSchema
from jobmill.application.codec.stored_schema import StoredSchema

Described = PayloadSchema[Any] | StoredSchema

#: What every text in a body must be, whatever it is for: TAB, LF and CR are the only control characters.
TEXT: Final = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"
INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**64 - 1

_HERE: Final = "#/components/schemas/"
_SAYS_ENOUGH: Final = frozenset({"pattern", "format", "enum", "const"})
_SAYS_NOTHING: Final = frozenset({"title", "description", "default", "examples"})
#: Where a schema holds further ones: one, a list of them, or some by name.
_ONE: Final = frozenset({"items", "additionalProperties", "not", "propertyNames", "contains"})
_SEVERAL: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs"})

_ANYTHING: Final[Mapping[str, object]] = {"$ref": _HERE + "Json"}
#: Any value, with the rules for its texts and names.
JSON: Final[Mapping[str, object]] = {
    "description": "Any JSON of at most 32 levels.",
    "anyOf": [
        {"type": ["null", "boolean", "number"]},
        {"type": "string", "pattern": TEXT},
        {"type": "array", "items": _ANYTHING},
        {"type": "object", "propertyNames": {"pattern": TEXT}, "additionalProperties": _ANYTHING},
    ],
}


def standalone_schema(schema: Described) -> dict[str, object]:
    """Return a schema that needs nothing but itself."""
    moved = _Rewriting(lambda name: f"#/$defs/{name}", is_strict=False)
    root: dict[str, object] = moved.of(schema.json_schema)
    if schema.components:
        root["$defs"] = {name: moved.of(part) for name, part in schema.components.items()}
    return root


def shared_schema(
    type_name: str, schema: Described
) -> tuple[dict[str, object], Mapping[str, dict[str, object]]]:
    """Return a schema and its parts by the names under which the whole description holds them.

    Classes of two types may have one name, so each part is named for its type. The rules that hold for every
    body are written into it, since those who make requests by the schema know no other.
    """

    def named(name: str) -> str:
        return f"{type_name}.{name}"

    moved = _Rewriting(lambda name: _HERE + named(name), is_strict=True)
    parts = {named(name): moved.of(part) for name, part in schema.components.items()}
    return moved.of(schema.json_schema), parts


class _Rewriting:
    """Copies schemas with their references turned elsewhere.

    Args:
        is_strict: write what holds for every body into what the schema leaves open.
    """

    def __init__(self, place: Callable[[str], str], *, is_strict: bool) -> None:
        self._place = place
        self._is_strict = is_strict

    def of(self, schema: Any) -> Any:  # noqa: ANN401 - an object, True or False
        """Return the copy of a schema."""
        if not isinstance(schema, Mapping):
            return schema
        copy = {name: self._value(name, value) for name, value in schema.items()}
        return {**copy, **_left_open(copy)} if self._is_strict else copy

    def _value(self, name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if name == "$ref":
            return self._place(value.removeprefix(_HERE))
        if name in _ONE:
            return self.of(value)
        if name in _SEVERAL:
            return [self.of(each) for each in value]
        if name in _NAMED:
            return {each: self.of(schema) for each, schema in value.items()}
        return value


def _left_open(schema: Mapping[str, object]) -> Mapping[str, object]:
    """Return what holds for every text, number and name in a body, where the schema does not say more."""
    match schema.get("type"):
        case "string" if _SAYS_ENOUGH.isdisjoint(schema):
            return {"pattern": TEXT}
        case "integer" if _SAYS_ENOUGH.isdisjoint(schema):
            return {"minimum": INTEGER_MIN, "maximum": INTEGER_MAX, **schema}
        case "object" if schema.get("additionalProperties") is not False:
            return {"propertyNames": {"pattern": TEXT}, "additionalProperties": _ANYTHING, **schema}
        case _ if schema.keys() <= _SAYS_NOTHING:
            return _ANYTHING
        case _:
            return {}
