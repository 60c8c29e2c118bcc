"""The first tables.

They repeat the columns of ``schema`` on purpose: a revision says how the tables were when it was written.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    and_,
    column,
    literal_column,
)

from jobmill.adapters.sql.column_types import INSTANT, SPAN

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make everything."""
    _make_jobs()
    _make_what_hangs_on_jobs()
    _make_the_machinery()


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        Column("id", Uuid, primary_key=True),
        Column("type", Text, nullable=False),
        Column("queue", Text, nullable=False),
        Column("priority", Text, nullable=False),
        Column("payload", Text, nullable=False),
        Column("state", Text, nullable=False),
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
        Column("error_kind", Text),
        Column("result", Text),
        Column("edition", Integer, nullable=False),
        Column("postpones", Integer, nullable=False),
        Column("announces", Integer, nullable=False),
        Column("suspect", Boolean, nullable=False),
        Column("correlation_id", Text),
        Column("idempotency_key", Text),
        Column("tenant", Text),
        Column("tags", Text, nullable=False),
        postgresql_with={"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.02},
    )
    op.create_index("jobs_by_state", "jobs", ["state", "id", "queue"])
    op.create_index("jobs_by_type", "jobs", ["type", "id"])
    op.create_index("jobs_by_queue", "jobs", ["queue", "id"])
    for name in ("correlation_id", "tenant"):
        given = column(name).is_not(None)
        op.create_index(f"jobs_by_{name}", "jobs", [name, "id"], postgresql_where=given, sqlite_where=given)
    wakes, expires = column("wake_at").is_not(None), column("expires_at").is_not(None)
    waits = column("state").in_([literal_column("'queued'"), literal_column("'retrying'")])
    stops = and_(column("stop_asked", Boolean), waits)
    op.create_index("jobs_by_wake_at", "jobs", ["wake_at"], postgresql_where=wakes, sqlite_where=wakes)
    op.create_index(
        "jobs_by_expires_at", "jobs", ["state", "expires_at"], postgresql_where=expires, sqlite_where=expires
    )
    op.create_index("jobs_to_cancel", "jobs", ["id"], postgresql_where=stops, sqlite_where=stops)


def _make_what_hangs_on_jobs() -> None:
    op.create_table(
        "job_history",
        Column("job_id", Uuid, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("fact", Text, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("at", INSTANT, nullable=False),
        Column("started_at", INSTANT),
        Column("worker", Text),
        Column("failure_kind", Text),
        Column("message", Text),
        Column("stack", Text),
        Column("retry_after", SPAN),
    )
    op.create_table(
        "job_tags",
        Column("tag", Text, primary_key=True),
        Column("job_id", Uuid, primary_key=True),
    )
    op.create_index("job_tags_by_job", "job_tags", ["job_id"])
    op.create_table(
        "job_keys",
        Column("scope", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("job_id", Uuid, nullable=False),
        Column("fingerprint", Text, nullable=False),
        Column("expires_at", INSTANT, nullable=False),
    )
    op.create_index("job_keys_by_job", "job_keys", ["job_id"])
    op.create_table(
        "outbox",
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("job_id", Uuid, nullable=False),
        Column("version", Integer, nullable=False),
        Column("stamp", BigInteger, nullable=False),
        Column("queue", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("created_at", INSTANT, nullable=False),
        postgresql_with={"autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 1000},
    )
    op.create_index("outbox_by_age", "outbox", ["created_at", "job_id"])
    op.create_index("outbox_by_job", "outbox", ["job_id"])


def _make_the_machinery() -> None:
    op.create_table(
        "quarantine",
        Column("id", Uuid, primary_key=True),
        Column("received_at", INSTANT, nullable=False),
        Column("source", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("content_type", Text),
        Column("headers", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
    op.create_table(
        "leadership",
        Column("role", Text, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("held_until", INSTANT, nullable=False),
    )
    op.create_table(
        "broker_epoch",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("epoch", Text, nullable=False),
        Column("refilling", Boolean, nullable=False),
        Column("refilled_to", Uuid),
    )
