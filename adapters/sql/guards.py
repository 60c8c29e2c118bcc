"""What is asked of rows that are found by their ids: by the database's own clock, and of their state."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, and_, not_, or_, true, type_coerce

from jobmill.adapters.sql.dialect import Dialect
from jobmill.adapters.sql.schema import jobs
from jobmill.domain.states import UNSTARTED, WAITING, Guard, JobState

#: What every save returns: the move, then what stands outside the fence, as ``as_the_row_says`` takes it.
OUTSIDE: Final = (jobs.c.id, jobs.c.stamp, jobs.c.lease_until, jobs.c.stop_asked, jobs.c.announces)


#: The state, put so that no index serves it: a batch finds its jobs by ids, not among all in a state, each
#: of which it would compare with each of its own. Its words stand beside it as texts.
STATE: Final[ColumnElement[str]] = type_coerce(jobs.c.state, Text()).concat("")
RUNS: Final[ColumnElement[bool]] = STATE.in_([JobState.PROCESSING.value])
WAITS_IN_QUEUE: Final[ColumnElement[bool]] = STATE.in_([JobState.QUEUED.value])


def rules(dialect: Dialect) -> dict[Guard, ColumnElement[Any]]:
    """What each guard asks, but for ``ORPHANED``, which asks for the worker that the move names as well."""
    job, now = jobs.c, dialect.now
    return {
        Guard.NONE: true(),
        Guard.CLAIM: and_(
            STATE.in_(_words(WAITING)),
            or_(job.retry_at.is_(None), job.retry_at <= now),
            or_(job.expires_at.is_(None), job.expires_at > now),
            not_(job.stop_asked),
            job.attempt < job.max_attempts,
        ),
        Guard.LAPSED: and_(RUNS, job.lease_until < now),
        Guard.ORPHANED: RUNS,
        Guard.DUE: job.wake_at <= now,
        Guard.EXPIRED: and_(STATE.in_(_words(UNSTARTED)), job.expires_at <= now),
    }


def _words(states: Collection[JobState]) -> list[str]:
    return sorted(state.value for state in states)
