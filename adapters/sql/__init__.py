"""PostgreSQL and SQLite behind the storage ports, through SQLAlchemy Core."""

from jobmill.adapters.sql.migrating import migrate
from jobmill.adapters.sql.store import SqlStore, open_sql_store

__all__ = ["SqlStore", "migrate", "open_sql_store"]
