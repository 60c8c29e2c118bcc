"""What an annotation demands beyond the kind of a value: ``Annotated[int, msgspec.Meta(ge=1)]``."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any, get_args, get_origin

import cattrs
import msgspec

Hook = Callable[[object, Any], Any]


def is_constrained(kind: Any) -> bool:  # noqa: ANN401 - cattrs asks with whatever stands in an annotation
    """Tell an annotated type with constraints."""
    origin: object = get_origin(kind)
    return origin is Annotated and any(isinstance(each, msgspec.Meta) for each in get_args(kind)[1:])


def constrained_hook(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401
    """Return what reads the type itself and then holds the value against its constraints."""
    inner, *notes = get_args(kind)
    metas = [each for each in notes if isinstance(each, msgspec.Meta)]
    read = converter.get_structure_hook(inner)

    def check(value: object, _: object) -> object:
        structured = read(value, inner)
        for meta in metas:
            for complaint in _complaints(structured, meta):
                raise ValueError(complaint)
        return structured

    return check


def _complaints(value: Any, meta: msgspec.Meta) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, int | float):
        yield from _of_number(value, meta)
    elif isinstance(value, datetime):
        if meta.tz is False:
            yield "must be a time without a zone, which JSON payloads do not hold; leave out tz=False"
    elif hasattr(value, "__len__"):
        yield from _of_length(len(value), meta)
        if isinstance(value, str) and meta.pattern is not None and not re.search(meta.pattern, value):
            yield f"must match {meta.pattern}"


def _of_number(value: float, meta: msgspec.Meta) -> Iterator[str]:
    if meta.ge is not None and value < meta.ge:
        yield f"must be {meta.ge} or more"
    if meta.gt is not None and value <= meta.gt:
        yield f"must be more than {meta.gt}"
    if meta.le is not None and value > meta.le:
        yield f"must be {meta.le} or less"
    if meta.lt is not None and value >= meta.lt:
        yield f"must be less than {meta.lt}"
    if meta.multiple_of is not None and value % meta.multiple_of:
        yield f"must be a multiple of {meta.multiple_of}"


def _of_length(length: int, meta: msgspec.Meta) -> Iterator[str]:
    if meta.min_length is not None and length < meta.min_length:
        yield f"must have a length of {meta.min_length} or more, not {length}"
    if meta.max_length is not None and length > meta.max_length:
        yield f"must have a length of {meta.max_length} or less, not {length}"
