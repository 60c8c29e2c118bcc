"""What differs between the two databases for the repositories: the time, rows handed in, linked writes."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from attrs import field, frozen
from sqlalchemy import CTE, BigInteger, Column, ColumnElement, Executable, Row, Select, Table, Uuid
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from sqlalchemy.types import TypeEngine

from jobmill.domain.job import Job

Params = dict[str, Any]
#: The values of one row that is handed in.
Values = Sequence[Any]
#: Columns that are handed in, with what they hold.
Types = Mapping[str, TypeEngine[Any]]
#: A statement on ``jobs`` that returns the id and the stamp of each job it touched, and what else is asked.
Head = ReturningInsert[Any] | ReturningUpdate[Any]

#: Which move of which job. The stamp stands for the position in a batch: of two moves of one job it tells
#: which one was made.
MOVE: Final[Types] = {"job_id": Uuid(), "stamp": BigInteger()}


class Incoming(Protocol):
    """Rows handed from Python into a statement, whose text is the same for any number of them."""

    @property
    def rows(self) -> CTE:
        """The rows as a table to select from and to join."""
        ...

    def among(self, key: ColumnElement[Any]) -> ColumnElement[bool]:
        """Say that a key is one of the values of the first column, so that each is looked up by its index.

        Whatever the planner believes of the table: a condition on it alone, and not a join.
        """
        ...

    def bound(self, rows: Sequence[Values]) -> Params:
        """Return the parameters that put these rows there, their values in the order of the columns.

        Raises:
            StorageRefused: a text that the database cannot hold.
        """
        ...


@frozen(kw_only=True)
class Follower:
    """Rows that are written with each job a head has touched, and for no other.

    Their first two values are those of ``MOVE``; then come the columns of the table that are neither in
    ``MOVE`` nor in ``computed``.
    """

    table: Table
    incoming: Incoming
    computed: Mapping[str, ColumnElement[Any]] = field(factory=dict)

    @property
    def values(self) -> Mapping[str, ColumnElement[Any]]:
        """What is written, by the column's name."""
        rows = self.incoming.rows.c
        return {
            each.name: self.computed[each.name] if each.name in self.computed else rows[each.name]
            for each in self.table.columns
        }


@frozen(kw_only=True)
class Echo:
    """Rows that are written of what a head returns, without anything handed in for them.

    Args:
        source: makes the rows, their columns in the table's order, of those that the head returns.
    """

    table: Table
    source: Callable[[CTE], Select[Any]]


@frozen(kw_only=True, eq=False)
class Hot:
    """A statement of the hot path, which may go to the driver without SQLAlchemy in between.

    Args:
        statement: itself.
        text: as the driver takes it; None where only SQLAlchemy runs it.
        order: the names of its parameters, in the order of their places.
        own: the values that the statement brings along.
    """

    statement: Executable
    text: str | None = None
    order: Sequence[str] = ()
    own: Params = field(factory=dict)

    def values(self, params: Params) -> list[Any]:
        """Return what stands at each place."""
        all_of_them = self.own | params
        return [all_of_them[name] for name in self.order]


class Chain(Protocol):
    """A head and its followers: all of it or nothing, in as few round trips as the database allows."""

    async def run(
        self, connection: AsyncConnection, head: Params, *followers: Sequence[Values]
    ) -> Sequence[Row[Any]]:
        """Carry it out and return what the head returns."""
        ...

    def whole(self, head: Params, *followers: Sequence[Values]) -> tuple[Hot, Params] | None:
        """Return it as one statement with its parameters, if it is one."""
        ...


Rows = Sequence[Sequence[Any]]


class ShortWay(Protocol):
    """A way for what is as it nearly always is."""

    def bound(self, made: Sequence[Job]) -> tuple[Hot, Params]:
        """Return the statement for these jobs, with its parameters.

        It returns rows if all was as it should be. Else it has changed nothing.
        """
        ...


class Unsent(Exception):
    """There was no connection, so nothing was sent."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause
        super().__init__(str(cause))


class Line(Protocol):
    """The short way for statements of the hot path."""

    async def fetch(self, hot: Hot, params: Params) -> Rows:
        """Carry out one statement by itself, and return its rows as the driver has them.

        Raises:
            Unsent: nothing was sent; beside it the errors of the driver itself.
        """
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


class Dialect(Hashable, Protocol):
    """One of the two databases. Those that are equal share the statements that were built for one."""

    @property
    def time(self) -> Select[Any]:
        """A statement that asks for the database's time and for nothing else."""
        ...

    @property
    def now(self) -> ColumnElement[datetime]:
        """The database's time, one value for the whole statement."""
        ...

    def incoming(self, name: str, columns: Types) -> Incoming:
        """Describe rows to be handed in; ``name`` is theirs within the statement."""
        ...

    def locks(
        self, rows: Incoming, key: Column[Any], *, skip: bool = False, joined: bool = False
    ) -> ColumnElement[bool]:
        """Say that a row's key is in the first column handed in, and that it was locked before all writing.

        In the order of their keys, so that two batches never wait for each other in a circle.

        Args:
            skip: leave out what is locked by somebody else, instead of waiting.
            joined: the statement joins the rows by this key anyway.
        """
        ...

    def hot(self, statement: Executable) -> Hot:
        """Make a statement ready for the hot path."""
        ...

    def insert(self, table: Table) -> PostgresInsert | SqliteInsert:
        """Begin an insertion that may say what to do about a row that is there already."""
        ...

    def storing(self, *, attended: bool) -> ShortWay | None:
        """Return the short way, if there is one, of new jobs without keys and tags; see ``Adding.on``."""
        ...

    def chain(self, head: Head, *followers: Follower, echoes: Sequence[Echo] = ()) -> Chain:
        """Link writes; only the followers' rows are handed in with a run."""
        ...


def follower(dialect: Dialect, table: Table, **computed: ColumnElement[Any]) -> Follower:
    """Make the follower that fills ``table``; the ``computed`` columns are not handed in."""
    known = {*MOVE, *computed}
    rest = {name: column.type for name, column in table.c.items() if name not in known}
    return Follower(
        table=table, incoming=dialect.incoming(f"new_{table.name}", {**MOVE, **rest}), computed=computed
    )
