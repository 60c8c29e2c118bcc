"""SQLite: rows come in as one JSON text, linked writes are a short transaction, the time is the host's."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Final

from attrs import frozen
from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Executable,
    Row,
    Select,
    Table,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.column_types import EPOCH, INSTANT
from jobmill.adapters.sql.dialect import (
    Chain,
    Dialect,
    Echo,
    Follower,
    Head,
    Hot,
    Incoming,
    Params,
    Types,
    Values,
)
from jobmill.adapters.sql.sqlite_hot import Convert, encoder, spelled
from jobmill.adapters.sql.sqlite_json import json_of, kept
from jobmill.adapters.sql.sqlite_storing import ShortStoring
from jobmill.application.ports.clock import Clock

#: The host's time as SQLite reads it: microseconds since 1970, exact to a millisecond.
HOST_TIME: Final = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000"


@frozen(kw_only=True)
class JsonRows(Incoming):
    """One JSON array of arrays, its values as SQLite keeps them."""

    rows: CTE
    _parameter: str
    _encoders: Sequence[Convert | None]

    def among(self, key: ColumnElement[Any]) -> ColumnElement[bool]:
        """See ``Incoming``."""
        return key.in_(select(self.rows.c[0]))

    def bound(self, rows: Sequence[Values]) -> Params:
        """See ``Incoming``."""
        columns = zip(*rows, strict=True)
        kept_columns = [kept(encode, column) for encode, column in zip(self._encoders, columns, strict=False)]
        return {self._parameter: json_of(zip(*kept_columns, strict=True))}


@frozen(kw_only=True)
class Steps(Chain):
    """The head, then the rows of those jobs that it touched. The caller brings the transaction."""

    _head: Head
    _writes: Sequence[tuple[Executable, Incoming]]
    _echoes: Sequence[tuple[Executable, Incoming]]

    async def run(
        self, connection: AsyncConnection, head: Params, *followers: Sequence[Values]
    ) -> Sequence[Row[Any]]:
        """See ``Chain``."""
        moved = (await connection.execute(self._head, head)).all()
        moves = {(row.id, row.stamp) for row in moved}
        for (write, incoming), rows in zip(self._writes, followers, strict=True):
            followed = [row for row in rows if tuple(row[:2]) in moves]
            if followed:
                await connection.execute(write, incoming.bound(followed))
        for write, incoming in self._echoes if moved else ():
            await connection.execute(write, incoming.bound(moved))
        return moved

    def whole(self, head: Params, *followers: Sequence[Values]) -> None:
        """See ``Chain``. A statement that writes into several tables is not known here."""


@frozen(kw_only=True, eq=False)
class Sqlite(Dialect):
    """SQLite 3.38 and later. Its statements ask its own clock, so they are for one database."""

    clock: Clock
    __hash__ = object.__hash__
    time: ClassVar[Select[Any]] = select(type_coerce(literal_column(HOST_TIME), INSTANT))

    @cached_property
    def now(self) -> ColumnElement[datetime]:
        """See ``Dialect``; bound to one value for each statement."""
        return bindparam("store_now", callable_=self.clock.now, type_=INSTANT)

    def incoming(self, name: str, columns: Types) -> Incoming:
        """See ``Dialect``."""
        row = func.json_each(bindparam(name, required=False)).table_valued(
            column("value"), name=f"{name}_json"
        )
        values = [
            type_coerce(func.json_extract(row.c.value, literal_column(f"'$[{at}]'")), kind).label(key)
            for at, (key, kind) in enumerate(columns.items())
        ]
        return JsonRows(
            rows=select(*values).cte(name).prefix_with("MATERIALIZED"),  # else each use reads the JSON anew
            parameter=name,
            encoders=[encoder(kind) for kind in columns.values()],
        )

    def locks(
        self, rows: Incoming, key: Column[Any], *, skip: bool = False, joined: bool = False
    ) -> ColumnElement[bool]:
        """See ``Dialect``. There is one writer at a time, so nothing needs a lock."""
        return true() if joined else rows.among(key)

    def hot(self, statement: Executable) -> Hot:
        """See ``Dialect``."""
        return spelled(statement)

    def storing(self, *, attended: bool) -> ShortStoring:
        """See ``Dialect``."""
        return ShortStoring.on(self.now, attended=attended)

    def insert(self, table: Table) -> Insert:
        """See ``Dialect``."""
        return Insert(table)

    def chain(self, head: Head, *followers: Follower, echoes: Sequence[Echo] = ()) -> Chain:
        """See ``Dialect``. For its echoes, what the head returned is handed in again."""
        writes: list[tuple[Executable, Incoming]] = [
            (
                plain_insert(each.table).from_select(list(each.values), select(*each.values.values())),
                each.incoming,
            )
            for each in followers
        ]
        moved = self.incoming("moved", {column.name: column.type for column in head.exported_columns})
        echoed: list[tuple[Executable, Incoming]] = [
            (plain_insert(each.table).from_select(list(each.table.c.keys()), each.source(moved.rows)), moved)
            for each in echoes
        ]
        return Steps(head=head, writes=writes, echoes=echoed)


def host_time() -> datetime:
    """Return the host's time without any file, as before the first connection to a database."""
    with closing(sqlite3.connect(":memory:")) as connection:
        [microseconds] = connection.execute(f"SELECT {HOST_TIME}").fetchone()
    return EPOCH + timedelta(microseconds=microseconds)
