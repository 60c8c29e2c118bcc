"""JSON as strangers send it: read strictly, or refused with the reason and the place."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NoReturn

import msgspec

from jobmill.application.codec.quick_json import UNDECIDED, read_quickly
from jobmill.domain.errors import Fault, InvalidInput

DEPTH_MAX: Final = 32
#: A thousand jobs with hundreds of parts each; a body of nothing but brackets would take seconds and half a
#: gigabyte. Brackets inside of texts count as well.
CONTAINERS_MAX: Final = 500_000
#: So many faults are told of one input; whoever has mended these may ask again.
FAULTS_MAX: Final = 1_000
#: So much of each name stands in the place of a fault.
_NAME_CHARS: Final = 100

#: Bytes that can be part of a control character, a lone surrogate or DEL. Without any of them, and with no
#: wrong UTF-8, all texts in the document are fine and need no closer look.
_SUSPICIOUS: Final = re.compile(
    rb"\\(?:u00[01789]|u[dD][89a-fA-F]|b|f)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]"
)
#: Those of them that are one byte: where a document is ASCII without escapes, they are all there can be.
_SUSPICIOUS_BYTES: Final = bytes(byte for byte in range(0x80) if _SUSPICIOUS.fullmatch(bytes([byte])))
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class MalformedJson(InvalidInput):
    """The bytes are no JSON document, or one that Jobmill does not take."""

    code = "malformed-json"


def read_json(raw: bytes) -> object:
    """Return the document as plain values.

    Beyond RFC 8259 it must be UTF-8, hold no duplicate names in an object, no NaN or infinity, no control
    characters except TAB, LF and CR, no lone surrogates, nest at most 32 levels, and hold at most 500,000
    objects and lists.

    Raises:
        MalformedJson: with the places and the reasons, at most ``FAULTS_MAX``.
    """
    containers = raw.count(b"{") + raw.count(b"[")
    if containers > CONTAINERS_MAX:
        detail = f"holds more than {CONTAINERS_MAX:,} objects and lists"
        raise MalformedJson(Fault(pointer="", detail=detail))
    texts = _is_suspicious(raw)
    value = UNDECIDED if texts else read_quickly(raw)
    if value is UNDECIDED:
        value = _read_slowly(raw)
    if texts or containers > DEPTH_MAX:
        faults = tuple(islice(_faults(value, texts=texts), FAULTS_MAX))
        if faults:
            raise MalformedJson(*faults)
    return value


def _is_suspicious(raw: bytes) -> bool:
    """Tell where a text may hold what may not stand; a look at single bytes is enough for most documents."""
    if raw.isascii() and b"\\" not in raw:
        return len(raw.translate(None, _SUSPICIOUS_BYTES)) != len(raw)
    return _SUSPICIOUS.search(raw) is not None


def _read_slowly(raw: bytes) -> object:
    """Return the document, or say where and why it is none."""
    try:
        return _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedJson(Fault(pointer="", detail=f"is not UTF-8 at byte {error.start}")) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedJson(
            Fault(pointer="", detail=f"is not JSON at {place}: {error.msg.lower()}")
        ) from None
    except RecursionError:
        raise MalformedJson(Fault(pointer="", detail=f"nests deeper than {DEPTH_MAX} levels")) from None


def write_json(value: object) -> str:
    """Return the shortest JSON text of plain values, names in the order given."""
    return msgspec.json.encode(value).decode()


def canonical_json(value: object) -> bytes:
    """Return one text for equal documents, whatever the order of their names."""
    return msgspec.json.encode(value, order="deterministic")


def pointer_token(name: object) -> str:
    """Return one step of a JSON pointer (RFC 6901)."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def _faults(value: object, *, texts: bool) -> Iterator[Fault]:
    if isinstance(value, dict | list):
        yield from _faults_inside(value, [], texts=texts)
    elif isinstance(value, str) and _FORBIDDEN.search(value):
        yield _forbidden([])


def _faults_inside(
    value: dict[str, object] | list[object], path: list[object], *, texts: bool
) -> Iterator[Fault]:
    """Look into everything. Places are spelled only for faults: names may be long, and lists too."""
    if len(path) >= DEPTH_MAX:
        yield Fault(pointer=_pointer(path), detail=f"nests deeper than {DEPTH_MAX} levels")
        return
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        if texts:
            for text in (step, item):
                if isinstance(text, str) and _FORBIDDEN.search(text):
                    yield _forbidden([*path, step])
        if isinstance(item, dict | list):
            path.append(step)
            yield from _faults_inside(item, path, texts=texts)
            path.pop()


def _forbidden(path: list[object]) -> Fault:
    detail = "holds a control character or half a surrogate pair; only tab and line breaks may stand"
    return Fault(pointer=_pointer(path), detail=detail)


def _pointer(path: list[object]) -> str:
    """The place as text that can be written: names may hold the very halves of pairs that are refused."""
    place = "".join(pointer_token(str(step)[:_NAME_CHARS]) for step in path)
    return place.encode("utf-8", "replace").decode()


def _unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise MalformedJson(Fault(pointer="", detail=f"an object names {name[:_NAME_CHARS]!r} twice"))
        seen.add(name)
    raise AssertionError("fewer names than pairs, and none of them twice")


def _no_constants(name: str) -> NoReturn:
    raise MalformedJson(Fault(pointer="", detail=f"{name} is no JSON number"))


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise MalformedJson(Fault(pointer="", detail=f"the number {text[:40]} is too large"))
    return number


def _bounded_integer(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= (number := int(text)) < 2**64:
        raise MalformedJson(Fault(pointer="", detail=f"the integer {text[:24]}… has more than 64 bits"))
    return number


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_names,
    parse_constant=_no_constants,
    parse_float=_finite,
    parse_int=_bounded_integer,
)
