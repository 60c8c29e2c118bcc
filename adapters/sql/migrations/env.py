"""What Alembic runs before the revisions. The connection, and the transaction on it, are the caller's."""

from alembic import context

from jobmill.adapters.sql.process_tables import metadata
from jobmill.adapters.sql.schema import REVISION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=REVISION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
