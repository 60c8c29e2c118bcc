"""Rows as one JSON text, the form in which they reach SQLite."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from jobmill.adapters.sql.sqlite_hot import Convert
from jobmill.application.errors import StorageRefused

#: How JSON spells a null character; a backslash before it makes it another text.
_NULL: Final = "\\u0000"
_encode: Final = msgspec.json.Encoder().encode


def kept(encode: Convert | None, column: Sequence[Any]) -> Sequence[Any]:
    """Return a column of values as SQLite keeps them. What is the same in all rows is converted once."""
    if encode is None:
        return column
    if is_same(column):
        return [encode(column[0])] * len(column)
    return [encode(value) for value in column]


def is_same(column: Sequence[Any]) -> bool:
    """Whether a column, of one row at least, holds one value in all rows."""
    first = column[0]
    return bool(first == column[-1]) and column.count(first) == len(column)


def json_of(rows: Iterable[Sequence[Any]]) -> str:
    """Return the rows as an array of arrays.

    Raises:
        StorageRefused: a text that is no Unicode, or with a null character, at which it would end.
    """
    try:
        text = _encode(list(rows)).decode()
    except UnicodeEncodeError as error:
        raise StorageRefused(f"the database refuses a value: {error}") from error
    if _NULL in text and _NULL in text.replace("\\\\", ""):
        raise StorageRefused("a text holds a null character, which the database cannot keep")
    return text
