"""The filters of lists, as the query of a URL gives them."""

from typing import Final
from uuid import UUID

from jobmill.application.inspector import PAGE_MAX
from jobmill.application.ports.job_finder import JobQuery
from jobmill.domain.states import DEAD, JobState
from jobmill.entrypoints.http.query_string import CURSOR, Query, choice, read_cursor, time, whole
from jobmill.entrypoints.http.views import QUARANTINED

PAGE_DEFAULT: Final = 50
STATUSES: Final = {state.value: state for state in JobState}
KINDS: Final = {kind: kind for kind in (*sorted(state.value for state in DEAD), QUARANTINED)}
ORDERS: Final = {"desc": True, "asc": False}

_OF_EVERY_LIST: Final = ("type", "queue", "tag", "tenant", "correlation_id", "limit", CURSOR)
OF_JOBS: Final = ("status", "order", "created_from", "created_before", *_OF_EVERY_LIST)
OF_DEAD_LETTERS: Final = ("kind", *_OF_EVERY_LIST)


def job_query(raw: bytes) -> JobQuery:
    """Return which jobs are asked for; raises ``InvalidInput`` with every fault."""
    query = Query(raw, OF_JOBS)
    states = query.many("status", choice(STATUSES))
    newest_first = query.one("order", choice(ORDERS))
    created_from, created_before = query.one("created_from", time), query.one("created_before", time)
    return _query(
        query,
        states=states,
        newest_first=newest_first is not False,
        created_from=created_from,
        created_before=created_before,
    )


def dead_letter_query(raw: bytes) -> tuple[JobQuery, frozenset[str]]:
    """Return which dead letters are asked for, and of which kinds; raises ``InvalidInput``."""
    query = Query(raw, OF_DEAD_LETTERS)
    kinds = query.many("kind", choice(KINDS))
    return _query(query), kinds


def _query(query: Query, **more: object) -> JobQuery:
    limit: int | None = query.one("limit", whole(1, PAGE_MAX))
    after: UUID | None = query.one(CURSOR, read_cursor)
    filters = {name: query.one(name, str) for name in ("queue", "tag", "tenant", "correlation_id")}
    job_type = query.one("type", str.lower)
    query.check()
    return JobQuery(**filters, **more, type=job_type, after=after, limit=limit or PAGE_DEFAULT)  # type: ignore[arg-type]
