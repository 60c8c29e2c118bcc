"""Payloads held against a schema that another process has stored, without the code it was made from."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from jobmill.application.codec.json_kinds import kind_of
from jobmill.application.codec.strict_json import FAULTS_MAX, canonical_json, pointer_token
from jobmill.application.codec.strict_structure import STRICT_TEXTS
from jobmill.application.errors import InvalidPayload
from jobmill.domain.errors import Fault

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]

_VALUE_CHARS_MAX: Final = 100
_KINDS: Final[Mapping[str, str]] = {
    "string": "a text",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "null": "null",
    "object": "an object",
    "array": "a list",
}
_COMPLAINTS: Final[Mapping[str, str]] = {
    name: f"must be {wanted}" for name, (_, wanted) in STRICT_TEXTS.items()
}


def schema_hash(*, version: int, schema: Mapping[str, Any], components: Mapping[str, Any]) -> str:
    """Return what tells one payload schema from another: 64 hexadecimal digits."""
    return sha256(canonical_json([version, schema, components])).hexdigest()


class StoredSchema:
    """A payload's JSON Schema as it was stored, as strict as the class it was made from.

    Rules that only the class itself knows, such as the validators of an attrs field, are not in it: what
    breaks those is refused by the worker that has the class.
    """

    def __init__(self, json_schema: Mapping[str, Any], components: Mapping[str, Any]) -> None:
        self.json_schema = json_schema
        self.components = components
        # The references lead to where the components then stand.
        document = {**json_schema, "components": {"schemas": dict(components)}}
        from jobmill.application.codec.schema_validator import validator_of  # loaded only where it is needed

        self._validator = validator_of(document)

    def structure(self, value: object) -> object:
        """Return the payload unchanged.

        Raises:
            InvalidPayload: with its faults, ``FAULTS_MAX`` at most, and their places below ``/payload``.
        """
        if not isinstance(value, dict):
            raise InvalidPayload(Fault(pointer="/payload", detail="must be an object"))
        errors = self._validator.iter_errors(value)
        if faults := tuple(islice((fault for error in errors for fault in _faults(error)), FAULTS_MAX)):
            raise InvalidPayload(*faults)
        return value

    def check(self, value: object) -> None:
        """Check a payload like ``structure``."""
        self.structure(value)


def _faults(error: "ValidationError", above: str = "/payload") -> Iterator[Fault]:
    place = above + "".join(map(pointer_token, error.relative_path))
    match error.validator:
        case "required":
            # One error for each missing field, and its message is the only one to name it.
            missing = [name for name in error.validator_value if name not in error.instance]
            named = [name for name in missing if error.message.startswith(repr(name))]
            yield from (Fault(pointer=place + pointer_token(name), detail="is required") for name in named)
        case "additionalProperties":
            known = error.schema.get("properties", {})
            for name in sorted(error.instance.keys() - known.keys()):
                yield Fault(pointer=place + pointer_token(name), detail="unknown field")
        case "anyOf" | "oneOf":
            yield from _of_union(error, place)
        case "type":
            wanted = error.validator_value
            kinds = [wanted] if isinstance(wanted, str) else wanted
            words = " or ".join(_KINDS[kind] for kind in kinds)
            yield Fault(pointer=place, detail=f"must be {words}, not {kind_of(error.instance)}")
        case "enum":
            choices = ", ".join(map(repr, error.validator_value))
            yield Fault(pointer=place, detail=f"must be one of {choices}")
        case "format":
            yield Fault(pointer=place, detail=_COMPLAINTS.get(error.validator_value, "is not well formed"))
        case _:
            yield Fault(pointer=place, detail=f"must fit {error.validator} {_short(error.validator_value)}")


def _of_union(error: "ValidationError", place: str) -> Iterator[Fault]:
    """Tell the faults of the member that was meant: the only one of the value's own kind."""
    members: dict[int, list[ValidationError]] = {}
    for inner in error.context or ():
        members.setdefault(int(inner.relative_schema_path[0]), []).append(inner)
    meant = [each for each in members.values() if not any(_is_of_another_kind(inner) for inner in each)]
    if len(meant) == 1:
        for inner in meant[0]:
            yield from _faults(inner, place)
        return
    if meant:
        yield Fault(pointer=place, detail="fits none of the kinds that may stand here")
        return
    kinds = [_KINDS.get(str(inner.validator_value), "") for each in members.values() for inner in each]
    words = " or ".join(kind for kind in kinds if kind) or "of another kind"
    yield Fault(pointer=place, detail=f"must be {words}, not {kind_of(error.instance)}")


def _is_of_another_kind(error: "ValidationError") -> bool:
    """The whole value is of another kind, or carries another tag."""
    if not error.relative_path:
        return bool(error.validator == "type")
    is_tag = error.validator == "enum" and len(error.validator_value) == 1
    return is_tag and len(error.relative_path) == 1


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE_CHARS_MAX else text[:_VALUE_CHARS_MAX] + "…"
