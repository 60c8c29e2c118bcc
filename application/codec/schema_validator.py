"""The validator of JSON Schema, in a module of its own: it takes 10 MB that most processes never need."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from jobmill.application.codec.strict_structure import STRICT_TEXTS


def validator_of(document: Mapping[str, Any]) -> Draft202012Validator:
    """Return a validator whose formats are exactly those of our own strict texts."""
    return Draft202012Validator(document, format_checker=_FORMATS)


_FORMATS: Final = FormatChecker(formats=())


def _checked_by(read: Callable[[object, Any], object]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if isinstance(value, str):
            read(value, None)
        return True

    return check


for _name, (_read, _) in STRICT_TEXTS.items():
    _FORMATS.checks(_name, raises=TypeError)(_checked_by(_read))
