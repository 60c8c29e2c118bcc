"""Barriers, and the index by which queued jobs are found that no notice announces any more."""

from alembic import op
from sqlalchemy import Column, Text, Uuid, column, literal_column

from jobmill.adapters.sql.column_types import INSTANT

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the index."""
    op.create_table(
        "barriers",
        Column("queue", Text, primary_key=True),
        Column("priority", Text, primary_key=True),
        Column("id", Uuid, nullable=False),
        Column("judges_before", INSTANT, nullable=False),
        Column("sent_at", INSTANT, nullable=False),
        Column("seen_at", INSTANT),
    )
    queued = column("state", Text) == literal_column("'queued'")
    op.create_index(
        "jobs_by_announcement",
        "jobs",
        ["queue", "priority", "announced_at"],
        postgresql_where=queued,
        sqlite_where=queued,
    )
