"""The tables, the same for both databases. The migrations make them; a test compares the two."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    and_,
    literal_column,
    not_,
    true,
)

from jobmill.adapters.sql.column_types import INSTANT, SPAN, JsonText, Word
from jobmill.adapters.sql.process_tables import metadata
from jobmill.domain.failure import FailureKind
from jobmill.domain.states import TERMINAL, UNSTARTED, WAITING, Fact, JobState, Priority, Target

#: The revision that this code needs: the number of the newest file in ``migrations/versions``.
REVISION: Final = 7
#: Where the database notes its revision. A name of our own: the database may be shared with an application
#: that uses Alembic itself.
REVISION_TABLE: Final = "jobmill_revision"

#: The columns are named and ordered as the fields of ``Job``; ``mapping`` relies on the names. Only the last
#: one is no field: it is null but for jobs whose end is watched, see ``EndedJobs``. On PostgreSQL the table
#: is partitioned by its id, which begins with the time, a day each: see ``days``.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("priority", Word(Priority), nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", Word(JobState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("stamp", BigInteger, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("timeout", SPAN, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("run_at", INSTANT),
    Column("retry_at", INSTANT),
    Column("wake_at", INSTANT),
    Column("ttl", SPAN),
    Column("expires_at", INSTANT),
    Column("started_at", INSTANT),
    Column("finished_at", INSTANT),
    Column("announced_at", INSTANT),
    Column("worker", Text),
    Column("lease_until", INSTANT),
    Column("stop_asked", Boolean, nullable=False),
    Column("error", Text),
    Column("error_kind", Word(FailureKind)),
    Column("result", Text),
    Column("edition", Integer, nullable=False),
    Column("postpones", Integer, nullable=False),
    Column("announces", Integer, nullable=False),
    Column("suspect", Boolean, nullable=False),
    Column("correlation_id", Text),
    Column("idempotency_key", Text),
    Column("tenant", Text),
    Column("tags", JsonText(tuple), nullable=False),
    Column("payload_version", Integer, nullable=False, server_default="1"),
    Column("origin", Text),
    Column("follows", Uuid),
    Column("chain_depth", Integer),
    Column("batch", Uuid),
    Column("batch_size", Integer),
    Column("inherited", Text),
    Column("watched", BigInteger),
    # Room in each page lets a renewal, which touches no index, stay in its page.
    postgresql_with={"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.02},
)


def _one_of(states: Collection[JobState]) -> ColumnElement[bool]:
    """Spell the states out: bound ones would not show the planner that a partial index is the one to use."""
    return jobs.c.state.in_(literal_column(f"'{state.value}'") for state in sorted(states, key=str))


# A move from state to state writes into every index that has its row, so there are few: of the jobs that are
# waiting, running or done, each has one entry for all its filters beside that of its id. Pages merge one walk
# for each kind of job, which is sorted by id within it: see ``kinds``. ``lease_until`` has no index on
# purpose: it would make every renewal write into all the others.
Index("jobs_by_state", jobs.c.state, jobs.c.queue, jobs.c.type, jobs.c.id)
for _name in ("correlation_id", "tenant"):
    _given = jobs.c[_name].is_not(None)
    Index(f"jobs_by_{_name}", _name, "id", postgresql_where=_given, sqlite_where=_given, _table=jobs)

# What the scheduler looks for.
_wakes = jobs.c.wake_at.is_not(None)
Index("jobs_by_wake_at", jobs.c.wake_at, postgresql_where=_wakes, sqlite_where=_wakes)
#: Jobs with a time to live that have not begun.
MAY_EXPIRE: Final = and_(_one_of(UNSTARTED), jobs.c.expires_at.is_not(None))
Index("jobs_by_expires_at", jobs.c.expires_at, postgresql_where=MAY_EXPIRE, sqlite_where=MAY_EXPIRE)
#: Waiting jobs that were asked to stop while they ran.
TO_CANCEL: Final = and_(jobs.c.stop_asked, _one_of(WAITING))
Index("jobs_to_cancel", jobs.c.id, postgresql_where=TO_CANCEL, sqlite_where=TO_CANCEL)

#: Finished jobs whose end others may wait for.
WATCHED_END: Final = and_(jobs.c.watched.is_not(None), _one_of(TERMINAL))
Index("jobs_watched_ends", jobs.c.id, postgresql_where=WATCHED_END, sqlite_where=WATCHED_END)
FOLLOWS: Final = jobs.c.follows.is_not(None)
Index("jobs_by_follows", jobs.c.follows, jobs.c.id, postgresql_where=FOLLOWS, sqlite_where=FOLLOWS)
IN_BATCH: Final = jobs.c.batch.is_not(None)
Index("jobs_by_batch", jobs.c.batch, jobs.c.state, postgresql_where=IN_BATCH, sqlite_where=IN_BATCH)

#: Jobs whose notice is with the broker or on its way there.
IS_QUEUED: Final = jobs.c.state == literal_column(f"'{JobState.QUEUED.value}'")
Index(
    "jobs_by_announcement",
    jobs.c.queue,
    jobs.c.priority,
    jobs.c.announced_at,
    postgresql_where=IS_QUEUED,
    sqlite_where=IS_QUEUED,
)

job_history = Table(
    "job_history",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("fact", Word(Fact), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("started_at", INSTANT),
    Column("worker", Text),
    Column("failure_kind", Word(FailureKind)),
    Column("message", Text),
    Column("stack", Text),
    Column("retry_after", SPAN),
)

job_tags = Table(
    "job_tags",
    metadata,
    Column("tag", Text, primary_key=True),
    Column("job_id", Uuid, primary_key=True),
)
Index("job_tags_by_job", job_tags.c.job_id)

job_keys = Table(
    "job_keys",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("job_id", Uuid, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
)
Index("job_keys_by_job", job_keys.c.job_id)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("job_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("stamp", BigInteger, nullable=False),
    Column("queue", Text, nullable=False),
    Column("target", Word(Target), nullable=False),
    Column("created_at", INSTANT, nullable=False),
    # False where nobody but the leader will publish it: its writer had no broker of its own.
    Column("attended", Boolean, nullable=False, server_default=true()),
    postgresql_with={"autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 1000},
)
Index("outbox_by_age", outbox.c.created_at, outbox.c.job_id)
Index("outbox_by_job", outbox.c.job_id)
UNATTENDED: Final = not_(outbox.c.attended)
Index(
    "outbox_unattended",
    outbox.c.created_at,
    outbox.c.job_id,
    postgresql_where=UNATTENDED,
    sqlite_where=UNATTENDED,
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("received_at", INSTANT, nullable=False),
    Column("source", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("content_type", Text),
    Column("headers", JsonText(dict), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

leadership = Table(
    "leadership",
    metadata,
    Column("role", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("held_until", INSTANT, nullable=False),
)

#: One row at most, its id 1.
broker_epoch = Table(
    "broker_epoch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Text, nullable=False),
    Column("refilling", Boolean, nullable=False),
    Column("refilled_to", Uuid),
)

#: The last barrier of each lane that had one. ``judges_before`` is never later than ``sent_at``.
barriers = Table(
    "barriers",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("priority", Word(Priority), primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("judges_before", INSTANT, nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("seen_at", INSTANT),
)

#: What a running handler last said of how far it is. Beside the job, so that no other write of it is wider.
job_progress = Table(
    "job_progress",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("fraction", Double, nullable=False),
    Column("note", Text),
    Column("reported_at", INSTANT, nullable=False),
)

#: One row, its id 1: by it a connection is known to lead to this very database.
mill = Table(
    "mill",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("identity", Uuid, nullable=False),
)

#: Ranges of ids whose finished jobs went together with their partition, and of whose keys, tags, history and
#: progress some rows may still be there. The end is not part of the range.
gone_ids = Table(
    "gone_ids",
    metadata,
    Column("from_id", Uuid, primary_key=True),
    Column("to_id", Uuid, nullable=False),
)
