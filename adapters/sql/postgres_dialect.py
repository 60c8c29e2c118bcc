"""PostgreSQL: rows come in as arrays, linked writes are one statement, the time is the server's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    Select,
    Table,
    TableValuedAlias,
    and_,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import ARRAY, Insert
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.column_types import INSTANT
from jobmill.adapters.sql.dialect import Chain, Dialect, Follower, Head, Incoming, Params, Types, Values


@frozen(kw_only=True)
class UnnestedRows(Incoming):
    """One array per column."""

    rows: CTE
    _parameters: Sequence[str]

    def bound(self, rows: Sequence[Values]) -> Params:
        """See ``Incoming``."""
        if not rows:
            return {name: [] for name in self._parameters}
        return {
            name: list(values) for name, values in zip(self._parameters, zip(*rows, strict=True), strict=True)
        }


@frozen(kw_only=True)
class OneStatement(Chain):
    """Head and followers as expressions of one statement: one round trip, no transaction block."""

    _statement: Select[Any]
    _incoming: Sequence[Incoming]

    async def run(
        self, connection: AsyncConnection, head: Params, *followers: Sequence[Values]
    ) -> Sequence[Row[Any]]:
        """See ``Chain``."""
        params = dict(head)
        for incoming, followed in zip(self._incoming, followers, strict=True):
            params |= incoming.bound(followed)
        rows: Sequence[Row[Any]] = (await connection.execute(self._statement, params)).all()
        return rows


@frozen(kw_only=True)
class Postgres(Dialect):
    """PostgreSQL 13 and later."""

    now: ClassVar[ColumnElement[datetime]] = func.statement_timestamp(type_=INSTANT)
    time: ClassVar[Select[Any]] = select(now)

    def incoming(self, name: str, columns: Types) -> Incoming:
        """See ``Dialect``."""
        parameters = [f"{name}_{key}" for key in columns]
        arrays = [
            bindparam(parameter, type_=ARRAY(kind, dimensions=1))
            for parameter, kind in zip(parameters, columns.values(), strict=True)
        ]
        unnested: TableValuedAlias = func.unnest(*arrays).table_valued(
            *(column(key, kind) for key, kind in columns.items())
        )
        # Without render_derived the columns have no names, and PostgreSQL finds none of them.
        rows = select(*unnested.render_derived().c).cte(name)
        return UnnestedRows(rows=rows, parameters=parameters)

    def insert(self, table: Table) -> Insert:
        """See ``Dialect``."""
        return Insert(table)

    def chain(self, head: Head, *followers: Follower) -> Chain:
        """See ``Dialect``."""
        moved = head.cte("moved")
        writes = []
        for follower in followers:
            rows = follower.incoming.rows
            same_move = and_(moved.c.id == rows.c.job_id, moved.c.stamp == rows.c.stamp)
            source = select(*follower.values.values()).select_from(rows.join(moved, same_move))
            write = plain_insert(follower.table).from_select(list(follower.values), source)
            writes.append(write.cte(f"follow_{follower.table.name}"))
        return OneStatement(
            statement=select(*moved.c).add_cte(*writes), incoming=[each.incoming for each in followers]
        )
