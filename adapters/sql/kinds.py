"""The kinds of job that are there: each state, queue and type that stand together in some row.

Jobs of one kind lie in the index ``jobs_by_state`` in the order of their ids. So any filter by these columns
is the merge of a few walks along one index, none of which passes by a row that is not wanted.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from attrs import frozen
from sqlalchemy import ColumnElement, Row, Select, Subquery, and_, select, tuple_, union_all

from jobmill.adapters.sql.schema import jobs
from jobmill.domain.states import JobState

_COLUMNS: Final = (jobs.c.state, jobs.c.queue, jobs.c.type)
#: Walks of one statement: far below what either database takes.
_WALKS_AT_ONCE: Final = 50


@frozen(kw_only=True)
class Kind:
    """One kind of job."""

    state: JobState
    queue: str
    type: str

    @property
    def matches(self) -> ColumnElement[bool]:
        """Say that a job is of this kind."""
        return and_(jobs.c.state == self.state, jobs.c.queue == self.queue, jobs.c.type == self.type)


def _kinds() -> Select[Any]:
    """Build the walk from each kind to the next: as many steps into the index as there are kinds."""
    first = select(*_COLUMNS).order_by(*_COLUMNS).limit(1).subquery("first")
    kinds = select(first).cte("kinds", recursive=True)
    beyond = select(jobs.c.id).where(tuple_(*_COLUMNS) > tuple_(*kinds.c)).order_by(*_COLUMNS).limit(1)
    following = [
        beyond.with_only_columns(column).correlate(kinds).scalar_subquery().label(column.name)
        for column in _COLUMNS
    ]
    kinds = kinds.union_all(select(*following).where(kinds.c.state.is_not(None)))
    return select(kinds).where(kinds.c.state.is_not(None))


#: Asks for all kinds.
KINDS: Final = _kinds()


def kinds_in(rows: Sequence[Row[Any]]) -> Sequence[Kind]:
    """Return the kinds from the answer to ``KINDS``."""
    return [Kind(state=row.state, queue=row.queue, type=row.type) for row in rows]


def merged(kinds: Sequence[Kind], walk: Callable[[Kind], Select[Any]]) -> Iterator[Subquery]:
    """Put the walks along the kinds together, as few tables as one statement may hold of them."""
    for at in range(0, len(kinds), _WALKS_AT_ONCE):
        walks = [walk(kind).subquery() for kind in kinds[at : at + _WALKS_AT_ONCE]]
        yield union_all(*(select(each) for each in walks)).subquery("wanted")
