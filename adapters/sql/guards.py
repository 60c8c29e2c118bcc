"""What a save asks of the row by the database's own clock, and what it returns of it."""

from typing import Any, Final

from sqlalchemy import ColumnElement, and_, not_, or_, true

from jobmill.adapters.sql.dialect import Dialect
from jobmill.adapters.sql.schema import jobs
from jobmill.domain.states import UNSTARTED, WAITING, Guard, JobState

#: What every save returns: the move, then what stands outside the fence, as ``as_the_row_says`` takes it.
OUTSIDE: Final = (jobs.c.id, jobs.c.stamp, jobs.c.lease_until, jobs.c.stop_asked, jobs.c.announces)


def rules(dialect: Dialect) -> dict[Guard, ColumnElement[Any]]:
    """What each guard asks, but for ``ORPHANED``, which asks for the worker that the move names as well."""
    job, now = jobs.c, dialect.now
    return {
        Guard.NONE: true(),
        Guard.CLAIM: and_(
            job.state.in_(WAITING),
            or_(job.retry_at.is_(None), job.retry_at <= now),
            or_(job.expires_at.is_(None), job.expires_at > now),
            not_(job.stop_asked),
            job.attempt < job.max_attempts,
        ),
        Guard.LAPSED: and_(job.state == JobState.PROCESSING, job.lease_until < now),
        Guard.ORPHANED: job.state == JobState.PROCESSING,
        Guard.DUE: job.wake_at <= now,
        Guard.EXPIRED: and_(job.state.in_(UNSTARTED), job.expires_at <= now),
    }
