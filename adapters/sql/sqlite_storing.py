"""The short way of new jobs into SQLite: what they have in common is sent once, their notices not at all."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from attrs import frozen
from sqlalchemy import (
    ColumnElement,
    Integer,
    bindparam,
    column,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects.sqlite import Insert

from jobmill.adapters.sql.dialect import Hot, Params, Rows, ShortWay
from jobmill.adapters.sql.guards import WAITS_IN_QUEUE
from jobmill.adapters.sql.mapping import UNTIED, untied_values_of
from jobmill.adapters.sql.schema import jobs, outbox
from jobmill.adapters.sql.sqlite_hot import SqliteHot, Visit, encoder, spelled
from jobmill.adapters.sql.sqlite_json import is_same, json_of, kept
from jobmill.domain.job import Job
from jobmill.domain.states import Target

#: In these columns jobs differ as a rule, so they are always sent with each.
_DIFFER: Final = frozenset({"id", "stamp", "payload", "created_at", "updated_at", "announced_at"})
_ENCODERS: Final = tuple(encoder(each.type) for each in UNTIED)
#: Statements that are kept: each is for other columns in which the jobs of a batch differ.
_STATEMENTS_MAX: Final = 32
_LAST: Final = "SELECT coalesce(max(rowid), 0) FROM jobs"


@frozen(kw_only=True, eq=False)
class Storing(Visit):
    """Stores all of the jobs with their notices and returns a row, or nothing where one is there already."""

    jobs: SqliteHot
    notices: SqliteHot
    reads: bool = False

    def values(self, params: Params) -> list[Any]:
        """Return how many jobs there are, and the values of both statements."""
        return [params["count"], self.jobs.values(params), self.notices.values({"beyond": 0})]

    def carry_out(self, connection: sqlite3.Connection, values: Sequence[Any]) -> Rows:
        """See ``Visit``. New jobs have the rows beyond all others; what fails, the pool undoes."""
        count, of_jobs, of_notices = values
        connection.execute("BEGIN IMMEDIATE")
        [of_notices[self.notices.order.index("beyond")]] = connection.execute(_LAST).fetchone()
        before = connection.total_changes
        connection.execute(self.jobs.text, of_jobs)
        if connection.total_changes - before < count:
            connection.rollback()
            return []
        connection.execute(self.notices.text, of_notices)
        connection.commit()
        return [(count,)]


@frozen(kw_only=True)
class ShortStoring(ShortWay):
    """New jobs without keys, tags and ties, of which none is there yet.

    A job has 36 columns, and to take each out of JSON is most of what it costs to store it. So each
    statement is for some columns in which the jobs of a batch differ, and the others are its parameters.
    """

    _statement: Callable[[frozenset[str]], Storing]

    @classmethod
    def on(cls, now: ColumnElement[datetime], *, attended: bool) -> "ShortStoring":
        """Build the statements, as they are needed.

        Args:
            now: as in ``Dialect``.
            attended: as in ``Adding.on``.
        """
        notices = spelled(_notices(now, attended))
        return cls(statement=lru_cache(_STATEMENTS_MAX)(lambda differ: _storing(differ, notices)))

    def bound(self, made: Sequence[Job]) -> tuple[Hot, Params]:
        """Return the statement that stores these jobs, and its parameters."""
        columns = list(zip(*map(untied_values_of, made), strict=True))
        differ: list[Sequence[Any]] = []
        names: set[str] = set(_DIFFER)
        params: Params = {"count": len(made)}
        for each, encode, values in zip(UNTIED, _ENCODERS, columns, strict=True):
            if each.name in _DIFFER or not is_same(values):
                names.add(each.name)
                differ.append(kept(encode, values))
            else:
                params[f"same_{each.name}"] = values[0]
        params["new"] = json_of(zip(*differ, strict=True))
        return self._statement(frozenset(names)), params


def _storing(differ: frozenset[str], notices: SqliteHot) -> Storing:
    rows = func.json_each(bindparam("new", required=False)).table_valued(column("value"), name="new_json")
    places = iter(range(len(differ)))
    source = [
        type_coerce(func.json_extract(rows.c.value, literal_column(f"'$[{next(places)}]'")), each.type)
        if each.name in differ
        else bindparam(f"same_{each.name}", None, each.type)
        for each in UNTIED
    ]
    statement = (
        Insert(jobs)
        .from_select([each.name for each in UNTIED], select(*source).where(literal_column("1")))
        .on_conflict_do_nothing(index_elements=[jobs.c.id])
    )
    return Storing(statement=statement, jobs=spelled(statement), notices=notices)


def _notices(now: ColumnElement[datetime], attended: bool) -> Insert:
    """Build the notices of those that are queued, each with the job's stamp as its id."""
    job, target = jobs.c, literal(Target.QUEUE, outbox.c.target.type)
    row = (job.stamp, job.id, job.version, job.stamp.label("of"), job.queue, target, now, literal(attended))
    beyond = literal_column("jobs.rowid", Integer()) > bindparam("beyond", None, Integer())
    source = select(*row).where(beyond, WAITS_IN_QUEUE)
    return Insert(outbox).from_select([each.name for each in outbox.columns], source)
