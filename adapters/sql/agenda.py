"""The leader's one look in SQL: for each chore whether there is anything, along the index that it uses."""

from datetime import timedelta

from attrs import frozen
from sqlalchemy import Executable, bindparam, exists, func, or_, select, type_coerce

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Dialect, Hot
from jobmill.adapters.sql.schema import IS_QUEUED, MAY_EXPIRE, TO_CANCEL, jobs, outbox
from jobmill.application.ports.agenda import Agenda, Errands
from jobmill.domain.states import JobState


@frozen(kw_only=True)
class SqlAgenda(Agenda):
    """What there is to do in one database."""

    _database: Database
    _looking: Hot

    @classmethod
    def on(cls, database: Database) -> "SqlAgenda":
        """Build the statement."""
        return cls(database=database, looking=database.dialect.hot(_looking(database.dialect)))

    async def look(self, *, left_after: timedelta) -> Errands:
        """See ``Agenda``."""
        [row] = await self._database.hot(self._looking, {"left_after": left_after}, changes=False)
        runs, waits, is_due, is_left, next_due = row
        return Errands(
            runs=bool(runs),
            waits=bool(waits),
            is_due=bool(is_due),
            is_left=bool(is_left),
            next_due=next_due,
        )


def _looking(dialect: Dialect) -> Executable:
    some, now = exists(jobs.c.id), dialect.now
    ahead = select(type_coerce(func.min(jobs.c.wake_at) - now, SPAN)).where(jobs.c.wake_at > now)
    old = outbox.c.created_at <= now - bindparam("left_after", type_=SPAN)
    return select(
        some.where(jobs.c.state == JobState.PROCESSING).label("runs"),
        some.where(IS_QUEUED).label("waits"),
        or_(
            some.where(jobs.c.wake_at <= now),
            some.where(MAY_EXPIRE, jobs.c.expires_at <= now),
            some.where(TO_CANCEL),
        ).label("is_due"),
        exists(outbox.c.id).where(old).label("is_left"),
        ahead.scalar_subquery().label("next_due"),
    )
