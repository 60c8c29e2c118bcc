"""Columns of values as PostgreSQL's arrays, in the form that costs least on the way.

asyncpg looks at each element of a list several times before it encodes it. So a column goes as the text of
an array, which takes a fraction of that; only texts that may be long go as a list, since to escape them would
take longer.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from attrs import frozen
from sqlalchemy import BigInteger, Boolean, ColumnElement, Integer, Text, Uuid, bindparam, cast
from sqlalchemy.dialects.postgresql import ARRAY, INTERVAL, TIMESTAMP
from sqlalchemy.types import TypeEngine

from jobmill.adapters.sql.column_types import JsonText, Word

#: An element's text within the text of an array; it never sees None.
_Spell = Callable[[Any], str]
_HEX: Final = attrgetter("hex")
#: Columns whose texts may be long.
_LONG: Final = frozenset({"payload", "result", "error", "message", "stack", "note", "inherited"})
#: Columns of ids that are null in most rows.
_OF_SOME: Final = frozenset({"follows", "batch"})
_TRUTH: Final = {False: "f", True: "t"}


@frozen(kw_only=True)
class ArrayColumn:
    """One column that is handed in.

    Args:
        name: the parameter's.
        parameter: its place in the statement, an array there.
        array: makes the parameter of the column's values. Of nothing but nulls it makes an empty array.
    """

    name: str
    parameter: ColumnElement[Any]
    array: Callable[[Sequence[Any]], object]


def array_of(table: str, key: str, kind: TypeEngine[Any]) -> ArrayColumn:
    """Describe a column of values of this kind, by the names of its rows and of itself."""
    name = f"{table}_{key}"
    stored = Text() if isinstance(kind, Word | JsonText) else kind
    arrays: ARRAY[Any] = ARRAY(stored, dimensions=1)
    spell = _spelling(kind)
    if spell is None or key in _LONG:
        plain = bindparam(name, type_=arrays, required=False)
        return ArrayColumn(name=name, parameter=plain, array=_listed)
    text = bindparam(name, type_=Text(), required=False)
    array = _ids if isinstance(kind, Uuid) and key not in _OF_SOME else _spelled(spell)
    return ArrayColumn(name=name, parameter=cast(text, arrays), array=array)


def _spelling(kind: TypeEngine[Any]) -> _Spell | None:
    """Return how an element is spelled; None for what has no such spelling."""
    match kind:
        case Word() | JsonText():
            return lambda value: _quoted(kind.text(value))
        case Boolean():
            return _TRUTH.__getitem__
        case Integer() | BigInteger():
            return str
        case Uuid():
            return _HEX
        case TIMESTAMP():
            return datetime.isoformat
        case INTERVAL():
            return _span
        case Text():
            return _quoted
        case _:
            return None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _span(span: timedelta) -> str:
    return f"{span.days} days +{span.seconds}.{span.microseconds:06} seconds"


def _spelled(spell: _Spell) -> Callable[[Sequence[Any]], object]:
    def array(values: Sequence[Any]) -> str:
        """What is the same in all rows, as most of it is, is spelled once."""
        if not values:
            return "{}"
        first, size = values[0], len(values)
        if first == values[-1] and values.count(first) == size:
            return "{}" if first is None else f"{{{','.join([spell(first)] * size)}}}"
        return f"{{{','.join(['NULL' if value is None else spell(value) for value in values])}}}"

    return array


def _ids(values: Sequence[Any]) -> str:
    """Ids are never null, never the same, and slow to compare."""
    return f"{{{','.join(map(_HEX, values))}}}"


def _listed(values: Sequence[Any]) -> list[Any]:
    return [] if values.count(None) == len(values) else list(values)
