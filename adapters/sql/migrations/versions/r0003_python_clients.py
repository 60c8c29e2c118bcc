"""What clients and user code in Python need: versions of payloads, types, workers, progress, an identity."""

from alembic import op
from sqlalchemy import Boolean, Column, Double, Integer, Text, Uuid, column, not_, true

from jobmill.adapters.sql.column_types import INSTANT
from jobmill.adapters.sql.migrations.new_jobs_view import MAKE_TRIGGER, MAKE_VIEW

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: 128 random bits, as ``Uuid`` keeps them.
_IDENTITY = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}


def upgrade() -> None:
    """Make the columns and the tables."""
    op.add_column("jobs", Column("payload_version", Integer, nullable=False, server_default="1"))
    op.add_column("outbox", Column("attended", Boolean, nullable=False, server_default=true()))
    unattended = not_(column("attended", Boolean))
    op.create_index(
        "outbox_unattended",
        "outbox",
        ["created_at", "job_id"],
        postgresql_where=unattended,
        sqlite_where=unattended,
    )
    op.create_table(
        "job_progress",
        Column("job_id", Uuid, primary_key=True),
        Column("attempt", Integer, nullable=False),
        Column("fraction", Double, nullable=False),
        Column("note", Text),
        Column("reported_at", INSTANT, nullable=False),
    )
    op.create_table(
        "job_types",
        Column("name", Text, primary_key=True),
        Column("hash", Text, primary_key=True),
        Column("rules", Text, nullable=False),
        Column("schema", Text, nullable=False),
        Column("declared_at", INSTANT, nullable=False),
    )
    op.create_table(
        "workers",
        Column("name", Text, primary_key=True),
        Column("started_at", INSTANT, nullable=False),
        Column("seen_at", INSTANT, nullable=False),
        Column("concurrency", Integer, nullable=False),
        Column("types", Text, nullable=False),
    )
    op.create_table(
        "mill",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("identity", Uuid, nullable=False),
    )
    identity = _IDENTITY[op.get_bind().dialect.name]
    if op.get_bind().dialect.name == "sqlite":
        op.execute(MAKE_VIEW)
        op.execute(MAKE_TRIGGER)
    op.execute(f"INSERT INTO mill (id, identity) VALUES (1, {identity})")  # noqa: S608 - our own words
