"""Statements spelled out once, as SQLite's driver takes them, each in one visit to the driver's thread."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Executable, Select
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from jobmill.adapters.sql.dialect import Hot, Params, Rows

_DIALECT: Final = dialect()
#: A value on its way into the database, or out of it.
Convert = Callable[[Any], Any]


@frozen(kw_only=True, eq=False)
class Visit(Hot, ABC):
    """What is carried out in one go by the thread of a connection.

    Args:
        reads: it changes nothing.
    """

    reads: bool

    @abstractmethod
    def carry_out(self, connection: sqlite3.Connection, values: Sequence[Any]) -> Rows:
        """Do it, with what ``values`` made; its rows are as the driver has them."""

    def decoded(self, rows: Rows) -> Rows:
        """Return the rows with the values that their columns stand for."""
        return rows


@frozen(kw_only=True, eq=False)
class SqliteHot(Visit):
    """One statement by itself.

    Args:
        text: as the driver takes it.
        fresh: parameters whose values are made anew for each run.
        encoders: how parameters that are handed in become what SQLite keeps.
        decoders: how the columns that come back become values, by their places.
    """

    text: str
    fresh: Mapping[str, Callable[[], Any]]
    encoders: Mapping[str, Convert]
    decoders: Sequence[tuple[int, Convert]]

    def values(self, params: Params) -> list[Any]:
        """See ``Hot``."""
        given = {name: make() for name, make in self.fresh.items()} | params
        for name in self.encoders.keys() & given.keys():
            given[name] = self.encoders[name](given[name])
        given = self.own | given
        return [given[name] for name in self.order]

    def carry_out(self, connection: sqlite3.Connection, values: Sequence[Any]) -> Rows:
        """See ``Visit``."""
        return connection.execute(self.text, values).fetchall()

    def decoded(self, rows: Rows) -> Rows:
        """See ``Visit``."""
        if not self.decoders or not rows:
            return rows
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for at, decode in self.decoders:
            columns[at] = [None if value is None else decode(value) for value in columns[at]]
        return list(zip(*columns, strict=True))


def spelled(statement: Executable) -> SqliteHot:
    """Spell a statement out."""
    compiled: Any = statement.compile(  # type: ignore[attr-defined]
        dialect=_DIALECT, compile_kwargs={"render_postcompile": True}
    )
    assert isinstance(compiled, SQLCompiler)
    order = tuple(compiled.positiontup or ())
    binds = {name: compiled.binds[name] for name in order if name in compiled.binds}
    encoders = {name: encode for name, bind in binds.items() if (encode := encoder(bind.type))}
    fresh = {name: bind.callable for name, bind in binds.items() if bind.callable is not None}
    own = {name: compiled.params[name] for name in order if name not in fresh}
    own |= {name: encoders[name](value) for name, value in own.items() if name in encoders}
    columns = enumerate(compiled._result_columns)  # noqa: SLF001 - what SQLAlchemy itself decodes rows by
    return SqliteHot(
        statement=statement,
        text=str(compiled),
        order=order,
        own=own,
        fresh=fresh,
        encoders=encoders,
        decoders=[(at, decode) for at, column in columns if (decode := _decoder(column.type))],
        reads=isinstance(statement, Select),
    )


def encoder(kind: TypeEngine[Any]) -> Convert | None:
    """Return what makes of a value what SQLite keeps; None where that is the value itself."""
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _decoder(kind: TypeEngine[Any]) -> Convert | None:
    return kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
