"""What ties jobs together: whom one follows, its batch, what it inherited, and whose end is watched.

The columns are null for all other jobs, and the indexes have none of those. The view by which SQLite stores
a job from one statement stays as it is: such a job has no ties.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text, Uuid, and_, column, literal_column

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FINISHED = ("cancelled", "discarded", "expired", "failed", "succeeded")


def upgrade() -> None:
    """Make the columns and their indexes."""
    op.add_column("jobs", Column("follows", Uuid))
    op.add_column("jobs", Column("chain_depth", Integer))
    op.add_column("jobs", Column("batch", Uuid))
    op.add_column("jobs", Column("batch_size", Integer))
    op.add_column("jobs", Column("inherited", Text))
    op.add_column("jobs", Column("watched", BigInteger))
    watched = and_(
        column("watched").is_not(None),
        column("state").in_([literal_column(f"'{name}'") for name in _FINISHED]),
    )
    op.create_index("jobs_watched_ends", "jobs", ["id"], postgresql_where=watched, sqlite_where=watched)
    for name, columns in (("follows", ["follows", "id"]), ("batch", ["batch", "state"])):
        given = column(name).is_not(None)
        op.create_index(f"jobs_by_{name}", "jobs", columns, postgresql_where=given, sqlite_where=given)
