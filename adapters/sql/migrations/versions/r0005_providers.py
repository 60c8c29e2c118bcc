"""How the providers are, shared by all who call them."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

from jobmill.adapters.sql.column_types import INSTANT

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "providers",
        Column("provider", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("since", INSTANT, nullable=False),
        Column("until", INSTANT),
        Column("openings", Integer, nullable=False),
        Column("successes", Integer, nullable=False),
        Column("probe", BigInteger),
        Column("calls", Text, nullable=False),
        Column("limits", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("changed_at", INSTANT, nullable=False),
    )
