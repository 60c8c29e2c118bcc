"""The read side in SQL: every page is a walk along an index in the order of the ids, or a merge of some."""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from sqlalchemy import ColumnElement, Row, Select, func, literal, select, type_coerce, union_all

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.id_times import lowest_id
from jobmill.adapters.sql.kinds import KINDS, Kind, kinds_in, merged
from jobmill.adapters.sql.mapping import HISTORY, READ, entry_from, job_from
from jobmill.adapters.sql.schema import IS_QUEUED, job_history, job_progress, job_tags, jobs
from jobmill.application.ports.job_finder import JobFinder, JobQuery, JobStory
from jobmill.application.ports.progress import Progress
from jobmill.domain.job import Job
from jobmill.domain.states import DEAD, TERMINAL, JobState, Priority

HISTORY_SHOWN: Final = 25
#: Far below what either database takes in one statement.
IDS_AT_ONCE: Final = 500
#: Lanes of one statement, each a look into the index of announcements.
LANES_AT_ONCE: Final = 60
#: How far the clock that made an id may be from the database's, by which ``created_at`` is set.
CLOCKS_APART: Final = timedelta(minutes=1)
_COUNTED: Final = tuple(state for state in JobState if state in DEAD or state not in TERMINAL)
_PROGRESS: Final = (
    job_progress.c.fraction.label("progress_fraction"),
    job_progress.c.note.label("progress_note"),
    job_progress.c.attempt.label("progress_attempt"),
    job_progress.c.reported_at.label("progress_at"),
)


@frozen(kw_only=True)
class SqlFinder(JobFinder):
    """What is to be seen in one database."""

    _database: Database

    async def story(self, job_id: UUID) -> JobStory | None:
        """See ``JobFinder``."""
        rows = await self._database.read(
            select(*READ, *_PROGRESS)
            .outerjoin_from(jobs, job_progress, job_progress.c.job_id == jobs.c.id)
            .where(jobs.c.id == job_id)
        )
        if not rows:
            return None
        entries = await self._database.read(
            select(*HISTORY)
            .where(job_history.c.job_id == job_id)
            .order_by(job_history.c.version.desc())
            .limit(HISTORY_SHOWN)
        )
        return JobStory(
            job=job_from(rows[0]),
            history=tuple(entry_from(entry) for entry in reversed(entries)),
            progress=_progress_in(rows[0]),
        )

    async def finished(self, job_ids: Sequence[UUID]) -> Set[UUID]:
        """See ``JobFinder``. Asks for the open ones, since a job that is gone is open no more."""
        found: set[UUID] = set()
        for at in range(0, len(job_ids), IDS_AT_ONCE):
            some = job_ids[at : at + IDS_AT_ONCE]
            statement = select(jobs.c.id).where(jobs.c.id.in_(some), jobs.c.state.not_in(TERMINAL))
            found.update(set(some) - {row.id for row in await self._database.read(statement)})
        return found

    async def page(self, query: JobQuery) -> Sequence[Job]:
        """See ``JobFinder``. Along the index of a filter that has one, else along the kinds, else by id."""
        if _has_index(query) or not (query.states or query.queue or query.type):
            return [job_from(row) for row in await self._database.read(_walk(query, columns=READ))]
        found = kinds_in(await self._database.read(KINDS))
        wanted = [kind for kind in found if _is_wanted(kind, query)]
        jobs_found: list[Job] = []
        for ids in merged(wanted, lambda kind: _walk(query, kind, columns=(jobs.c.id,))):
            page = select(*READ).join_from(ids, jobs, jobs.c.id == ids.c.id)
            rows = await self._database.read(page.order_by(_in_order(query, jobs.c.id)).limit(query.limit))
            jobs_found += [job_from(row) for row in rows]
        jobs_found.sort(key=lambda job: job.id, reverse=query.newest_first)
        return jobs_found[: query.limit]

    async def counts(self) -> Mapping[tuple[str, JobState], int]:
        """See ``JobFinder``. Read from an index alone."""
        statement = (
            select(jobs.c.queue, jobs.c.state, func.count().label("number"))
            .where(jobs.c.state.in_(_COUNTED))
            .group_by(jobs.c.queue, jobs.c.state)
        )
        rows = await self._database.read(statement)
        return {(row.queue, row.state): row.number for row in rows}

    async def longest_waits(self, queues: Sequence[str]) -> Mapping[str, timedelta]:
        """See ``JobFinder``. The first entry of each lane in the index of announcements."""
        waits: dict[str, timedelta] = {}
        lanes = [self._longest_wait(queue, priority) for queue in queues for priority in Priority]
        for at in range(0, len(lanes), LANES_AT_ONCE):
            for row in await self._database.read(union_all(*lanes[at : at + LANES_AT_ONCE])):
                if row.wait is not None:
                    waits[row.queue] = max(row.wait, waits.get(row.queue, row.wait))
        return waits

    def _longest_wait(self, queue: str, priority: Priority) -> Select[Any]:
        wait = type_coerce(self._database.dialect.now - func.min(jobs.c.announced_at), SPAN)
        is_in_lane = (IS_QUEUED, jobs.c.queue == queue, jobs.c.priority == priority)
        columns: tuple[ColumnElement[Any], ...] = (literal(queue).label("queue"), wait.label("wait"))
        return select(*columns).where(*is_in_lane)


def _progress_in(row: Row[Any]) -> Progress | None:
    if row.progress_at is None:
        return None
    return Progress(
        fraction=row.progress_fraction,
        note=row.progress_note,
        attempt=row.progress_attempt,
        at=row.progress_at,
    )


def _has_index(query: JobQuery) -> bool:
    return any(value is not None for value in (query.tag, query.tenant, query.correlation_id))


def _is_wanted(kind: Kind, query: JobQuery) -> bool:
    return (
        (not query.states or kind.state in query.states)
        and query.queue in {None, kind.queue}
        and query.type in {None, kind.type}
    )


def _walk(query: JobQuery, kind: Kind | None = None, *, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """Build the walk along one index, in the order of the ids; of one kind, or by the query's own filters."""
    walk, key = select(*columns), jobs.c.id
    if query.tag is not None:
        key = job_tags.c.job_id
        walk = walk.join_from(job_tags, jobs, jobs.c.id == key).where(job_tags.c.tag == query.tag)
    names = ("tenant", "correlation_id") if kind else ("type", "queue", "tenant", "correlation_id")
    given = {name: value for name in names if (value := getattr(query, name)) is not None}
    walk = walk.where(*(jobs.c[name] == value for name, value in given.items()), *_times(query, key))
    if kind is not None:
        walk = walk.where(kind.matches)
    elif query.states:
        walk = walk.where(jobs.c.state.in_(query.states))
    if query.after is not None:
        walk = walk.where(key < query.after if query.newest_first else key > query.after)
    return walk.order_by(_in_order(query, key)).limit(query.limit)


def _in_order(query: JobQuery, key: ColumnElement[UUID]) -> ColumnElement[UUID]:
    return key.desc() if query.newest_first else key.asc()


def _times(query: JobQuery, key: ColumnElement[UUID]) -> Iterator[ColumnElement[bool]]:
    """The times themselves, and the ids between which such jobs lie, which is what an index can use."""
    if query.created_from is not None:
        yield jobs.c.created_at >= query.created_from
        yield key >= lowest_id(query.created_from - CLOCKS_APART)
    if query.created_before is not None:
        yield jobs.c.created_at < query.created_before
        yield key < lowest_id(query.created_before + CLOCKS_APART)
