"""What an error of the PostgreSQL driver says about the statement: done, not done, or unknown."""

import asyncpg
import pytest
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError

from jobmill.adapters.sql.faults import Meaning, meaning_of

DBAPI = PGDialect_asyncpg.import_dbapi()  # type: ignore[no-untyped-call]


def wrapped(error: Exception) -> DBAPIError:
    """An error of asyncpg as it comes out of SQLAlchemy."""
    [translated] = [DBAPI._asyncpg_error_translate[kind] for kind in type(error).__mro__ if _known(kind)][:1]
    return DBAPIError("insert …", {}, translated(str(error), error))


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (asyncpg.InternalClientError("unexpected connection_lost() call"), Meaning.CUT_OFF),
        (
            asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
            Meaning.CUT_OFF,
        ),
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle"), Meaning.CUT_OFF),
        (asyncpg.AdminShutdownError("terminating connection"), Meaning.CUT_OFF),
        (asyncpg.DeadlockDetectedError("deadlock detected"), Meaning.AGAIN),
        (asyncpg.UniqueViolationError("duplicate key"), Meaning.REFUSED),
        (asyncpg.DiskFullError("no space left"), Meaning.UNAVAILABLE),
    ],
)
def test_only_the_word_of_the_server_says_that_nothing_was_done(error: Exception, meaning: Meaning) -> None:
    assert meaning_of(wrapped(error)) is meaning
    assert meaning_of(error) is meaning


def test_a_value_that_the_driver_cannot_send_is_refused() -> None:
    class DataError(asyncpg.InterfaceError, ValueError):
        """As asyncpg's own, which it does not export."""

    assert meaning_of(DataError("invalid input for query argument $1: 'x'")) is Meaning.REFUSED


def test_a_statement_prepared_before_a_migration_is_tried_again() -> None:
    error = asyncpg.InvalidCachedStatementError("cached statement plan is invalid")

    assert meaning_of(error) is Meaning.AGAIN


def _known(kind: type) -> bool:
    return kind in DBAPI._asyncpg_error_translate
