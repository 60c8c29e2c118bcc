"""How the domain's values lie in columns: natively on PostgreSQL, as integers that sort on SQLite."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, TypeVar

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.dialects.postgresql import INTERVAL, TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EMPTY: Final = "[]"
E = TypeVar("E", bound=Enum)


class _IntegerInstant(TypeDecorator[datetime]):
    """A moment as microseconds since 1970, which SQLite can compare and add to."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


class _IntegerSpan(TypeDecorator[timedelta]):
    """A duration in microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:
        return None if value is None else value // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:
        return None if value is None else timedelta(microseconds=value)


#: A moment in UTC, exact to the microsecond.
INSTANT: Final[TypeEngine[datetime]] = TIMESTAMP(timezone=True).with_variant(_IntegerInstant(), "sqlite")
#: A duration, exact to the microsecond. ``INSTANT + SPAN`` is written ``+`` on both databases.
SPAN: Final[TypeEngine[timedelta]] = INTERVAL().with_variant(_IntegerSpan(), "sqlite")


class Word(TypeDecorator[E]):
    """A member of an enumeration, as its value: short, and readable for whoever looks into the table."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words
        self._texts: dict[E | None, str] = {each: str(each.value) for each in words}
        self._members: dict[str | None, E] = {str(each.value): each for each in words}

    def text(self, value: E) -> str:
        """Return the text that stands for a member."""
        return self._texts[value]

    def meaning(self, text: str | None) -> E | None:
        """Return the member for which a text stands; None for none."""
        return None if text is None else self._members[text]

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        return None if value is None else self._texts[value]

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        return self.meaning(value)


class JsonText(TypeDecorator[Any]):
    """A small value as a JSON text in ASCII, so that it holds every string, control characters included."""

    impl = Text
    cache_ok = True

    def __init__(self, restore: Callable[[Any], Any]) -> None:
        super().__init__()
        self.restore = restore

    def text(self, value: object) -> str:
        """Return the text of a value; most are empty tuples."""
        return _EMPTY if value == () else json.dumps(value)

    def meaning(self, text: str | None) -> object:
        """Return the value that a text holds."""
        if text == _EMPTY:
            return self.restore(())
        return None if text is None else self.restore(json.loads(text))

    def process_bind_param(self, value: object, dialect: Dialect) -> str:
        return self.text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> object:
        return self.meaning(value)
