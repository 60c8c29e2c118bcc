"""PostgreSQL: rows come in as arrays, linked writes are one statement, the time is the server's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Executable,
    Row,
    Select,
    Table,
    TableValuedAlias,
    and_,
    any_,
    cast,
    column,
    func,
    select,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.column_types import INSTANT
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
from jobmill.adapters.sql.postgres_arrays import ArrayColumn, array_of
from jobmill.adapters.sql.spelling import spelled


@frozen(kw_only=True)
class UnnestedRows(Incoming):
    """One array per column; a column without any value is an empty one, which ``unnest`` fills with nulls."""

    rows: CTE
    _columns: Sequence[ArrayColumn]

    def among(self, key: ColumnElement[Any]) -> ColumnElement[bool]:
        """See ``Incoming``.

        The array is asked for by a query of its own, so that it is read from its text once. As a plain
        parameter it would be read again for every partition, and for each row that somebody else has changed
        since the statement began: a thousand such rows took seconds.
        """
        array = self._columns[0].parameter
        return key == any_(cast(select(array).scalar_subquery(), array.type))

    def bound(self, rows: Sequence[Values]) -> Params:
        """See ``Incoming``."""
        if not rows:
            return {column.name: column.array(()) for column in self._columns}
        values = zip(*rows, strict=True)
        return {column.name: column.array(each) for column, each in zip(self._columns, values, strict=True)}


@frozen(kw_only=True)
class OneStatement(Chain):
    """Head and followers as expressions of one statement: one round trip, no transaction block."""

    _hot: Hot
    _incoming: Sequence[Incoming]

    async def run(
        self, connection: AsyncConnection, head: Params, *followers: Sequence[Values]
    ) -> Sequence[Row[Any]]:
        """See ``Chain``."""
        hot, params = self.whole(head, *followers)
        rows: Sequence[Row[Any]] = (await connection.execute(hot.statement, params)).all()
        return rows

    def whole(self, head: Params, *followers: Sequence[Values]) -> tuple[Hot, Params]:
        """See ``Chain``."""
        params = dict(head)
        for incoming, followed in zip(self._incoming, followers, strict=True):
            params |= incoming.bound(followed)
        return self._hot, params


@frozen(kw_only=True)
class Postgres(Dialect):
    """PostgreSQL 13 and later."""

    now: ClassVar[ColumnElement[datetime]] = func.statement_timestamp(type_=INSTANT)
    time: ClassVar[Select[Any]] = select(now)

    def incoming(self, name: str, columns: Types) -> Incoming:
        """See ``Dialect``."""
        arrays = [array_of(name, key, kind) for key, kind in columns.items()]
        unnested: TableValuedAlias = func.unnest(*(array.parameter for array in arrays)).table_valued(
            *(column(key, kind) for key, kind in columns.items())
        )
        # Without render_derived the columns have no names, and PostgreSQL finds none of them.
        rows = select(*unnested.render_derived().c).cte(name)
        return UnnestedRows(rows=rows, columns=arrays)

    def insert(self, table: Table) -> Insert:
        """See ``Dialect``."""
        return Insert(table)

    def chain(self, head: Head, *followers: Follower, echoes: Sequence[Echo] = ()) -> Chain:
        """See ``Dialect``."""
        moved = head.cte("moved")
        writes = []
        for follower in followers:
            rows = follower.incoming.rows
            same_move = and_(moved.c.id == rows.c.job_id, moved.c.stamp == rows.c.stamp)
            source = select(*follower.values.values()).select_from(rows.join(moved, same_move))
            write = plain_insert(follower.table).from_select(list(follower.values), source)
            writes.append(write.cte(f"follow_{follower.table.name}"))
        for echo in echoes:
            write = plain_insert(echo.table).from_select(list(echo.table.c.keys()), echo.source(moved))
            writes.append(write.cte(f"echo_{echo.table.name}"))
        return OneStatement(
            hot=self.hot(select(*moved.c).add_cte(*writes)), incoming=[each.incoming for each in followers]
        )

    def locks(
        self, rows: Incoming, key: Column[Any], *, skip: bool = False, joined: bool = False
    ) -> ColumnElement[bool]:
        """See ``Dialect``. The rows that are joined too: a plan for a join depends on beliefs."""
        among = rows.among(key)
        wanted = select(key).where(among).order_by(key)
        locked = wanted.with_for_update(of=key.table, skip_locked=skip).cte("locked")
        return and_(among, key.in_(select(locked.c[key.name])))

    def hot(self, statement: Executable) -> Hot:
        """See ``Dialect``."""
        return spelled(statement)

    def storing(self, *, attended: bool) -> None:
        """See ``Dialect``. The chain is one short statement here."""
