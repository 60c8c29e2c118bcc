"""Plain JSON at the speed of C: what is surely the same to a strict reader, and nothing else.

The C decoder keeps the last of two equal names and takes integers of any length; strict reading refuses both.
So a document is taken only where neither can be: it holds no long run of digits, and written again it has as
many quotes as it came with, while every name that was dropped would have taken two along.
"""

import re
from typing import Final

import msgspec

#: Stands for a document that has to be read by the strict reader itself, be it wrong or only unusual.
UNDECIDED: Final = object()

#: Of 64 bits, integers have up to 19 digits below zero and 20 above: fewer are always in range.
_LONG: Final = b"0" * 19
_DIGITS: Final = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))
#: A pair, so that an escaped backslash before a closing quote is not taken for an escaped quote.
_ESCAPED: Final = re.compile(rb"\\.")
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def read_quickly(raw: bytes) -> object:
    """Return the document as plain values, or ``UNDECIDED``.

    Args:
        raw: holds no lone surrogate, escaped or not: the strict reader looks for these by itself.
    """
    if _LONG in raw.translate(_DIGITS):
        return UNDECIDED
    try:
        value = _decode(raw)
        written = _encode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return UNDECIDED
    return value if _quotes(raw) == _quotes(written) else UNDECIDED


def _quotes(text: bytes) -> int:
    """Count the quotes around names and texts."""
    return (_ESCAPED.sub(b"", text) if b"\\" in text else text).count(b'"')
