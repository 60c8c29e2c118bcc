"""What a foreign producer said of the message that became a job."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, null for every job there is: no row is touched.

    The view for one-statement submissions on SQLite leaves it out, which is null as well: what comes that
    way has no foreign origin.
    """
    op.add_column("jobs", Column("origin", Text))
