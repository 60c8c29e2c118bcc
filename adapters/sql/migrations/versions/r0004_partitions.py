"""Fewer indexes on jobs, and on PostgreSQL a partition for the jobs of each day.

The table that is there becomes the first partition as it is: no row is copied. It is read for its new
indexes and for the proof that its ids lie within its bounds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from alembic import op
from sqlalchemy import Boolean, Column, Text, Uuid, and_, column, literal_column, text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DAYS_AHEAD: Final = 3
_STORAGE: Final = "WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)"
_KEPT_INDEXES: Final = (
    "jobs_by_correlation_id",
    "jobs_by_tenant",
    "jobs_by_wake_at",
    "jobs_to_cancel",
    "jobs_by_announcement",
)


def upgrade() -> None:
    """Make the indexes anew; cut the table by days where the database can."""
    for name in ("jobs_by_state", "jobs_by_type", "jobs_by_queue", "jobs_by_expires_at"):
        op.drop_index(name, "jobs")
    if op.get_bind().dialect.name == "postgresql":
        _partition()
    else:
        _make_new_indexes()
    op.create_table(
        "gone_ids",
        Column("from_id", Uuid, primary_key=True),
        Column("to_id", Uuid, nullable=False),
    )


def _make_new_indexes() -> None:
    op.create_index("jobs_by_state", "jobs", ["state", "queue", "type", "id"])
    may_expire = and_(
        column("state").in_([literal_column(f"'{name}'") for name in ("queued", "retrying", "scheduled")]),
        column("expires_at").is_not(None),
    )
    op.create_index(
        "jobs_by_expires_at", "jobs", ["expires_at"], postgresql_where=may_expire, sqlite_where=may_expire
    )


def _partition() -> None:
    """Put a partitioned table in the place of the one that is there, which becomes its oldest partition.

    What is attached brings its own indexes; those that it lacks are made by the attaching. Rows whose ids
    are of later days, by somebody's wrong clock, move to where they belong.
    """
    bounds = _bounds()
    first = bounds[0]
    op.execute("ALTER TABLE jobs RENAME TO jobs_old")
    op.execute("ALTER INDEX jobs_pkey RENAME TO jobs_old_pkey")
    for name in _KEPT_INDEXES:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('jobs_', 'jobs_old_')}")
    op.execute("CREATE TABLE jobs (LIKE jobs_old INCLUDING DEFAULTS) PARTITION BY RANGE (id)")
    op.execute("ALTER TABLE jobs ADD PRIMARY KEY (id)")
    _make_old_indexes()
    _make_new_indexes()
    op.execute(_SAME_RIGHTS)
    for start, end in zip(bounds, [*bounds[1:], None], strict=True):
        name = "jobs_later" if end is None else f"jobs_{_day_of(start):%Y%m%d}"
        upper = "MAXVALUE" if end is None else f"'{end}'"
        op.execute(
            f"CREATE TABLE {name} PARTITION OF jobs FOR VALUES FROM ('{start}') TO ({upper}) {_STORAGE}"
        )
    op.execute(
        f"WITH later AS (DELETE FROM jobs_old WHERE id >= '{first}' RETURNING *)"  # noqa: S608 - our own words
        " INSERT INTO jobs SELECT * FROM later"
    )
    op.execute(f"ALTER TABLE jobs ATTACH PARTITION jobs_old FOR VALUES FROM (MINVALUE) TO ('{first}')")


def _bounds() -> Sequence[UUID]:
    """Where the partitions after the oldest begin: with tomorrow, or with today if nothing is there yet."""
    connection = op.get_bind()
    now = connection.scalar(text("SELECT now()"))
    assert isinstance(now, datetime), "the database has no time"
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    is_used = connection.scalar(text("SELECT EXISTS (SELECT FROM jobs)"))
    days = range(1 if is_used else 0, _DAYS_AHEAD + 2)
    return [UUID(int=round((today + timedelta(days=day)).timestamp() * 1000) << 80) for day in days]


def _day_of(start: UUID) -> datetime:
    return datetime.fromtimestamp((start.int >> 80) / 1000, UTC)


def _make_old_indexes() -> None:
    for name in ("correlation_id", "tenant"):
        op.create_index(f"jobs_by_{name}", "jobs", [name, "id"], postgresql_where=column(name).is_not(None))
    op.create_index("jobs_by_wake_at", "jobs", ["wake_at"], postgresql_where=column("wake_at").is_not(None))
    waits = column("state").in_([literal_column("'queued'"), literal_column("'retrying'")])
    op.create_index(
        "jobs_to_cancel", "jobs", ["id"], postgresql_where=and_(column("stop_asked", Boolean), waits)
    )
    queued = column("state", Text) == literal_column("'queued'")
    op.create_index(
        "jobs_by_announcement", "jobs", ["queue", "priority", "announced_at"], postgresql_where=queued
    )


#: Whoever could use the old table may use the new one.
_SAME_RIGHTS: Final = """
DO $$
DECLARE given record;
BEGIN
    FOR given IN
        SELECT one.privilege_type AS verb, one.grantee, role.rolname
        FROM pg_class AS it, aclexplode(it.relacl) AS one LEFT JOIN pg_roles AS role ON role.oid = one.grantee
        WHERE it.oid = CAST('jobs_old' AS regclass) AND one.grantee <> it.relowner
    LOOP
        EXECUTE format('GRANT %s ON jobs TO %s', given.verb,
            CASE WHEN given.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(given.rolname) END);
    END LOOP;
END $$
"""
