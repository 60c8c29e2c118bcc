"""What an error of a driver means: refused, to be tried again, cut off, or for a person to mend."""

import sqlite3
from datetime import timedelta
from enum import Enum
from typing import Final

from asyncpg import InterfaceError as ClientError
from asyncpg import InternalClientError, InvalidCachedStatementError, PostgresError
from sqlalchemy.exc import DBAPIError, InterfaceError, NotSupportedError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from jobmill.application.errors import SetupFault, StorageRefused, StorageUnavailable, StorageUnknown
from jobmill.domain.errors import JobmillError

#: What a connection, a statement or the pool may raise; everything else is our own mistake. ``TimeoutError``
#: is an ``OSError``; a text that is no Unicode and a number beyond 64 bits are refused by the driver itself.
DRIVER_ERRORS: Final = (
    DBAPIError,
    StatementError,
    PoolTimeout,
    PostgresError,
    ClientError,
    InternalClientError,
    sqlite3.Error,
    OSError,
    UnicodeEncodeError,
    OverflowError,
)

MEND: Final = "run `jobmill migrate`"
POOL_RETRY: Final = timedelta(seconds=1)


class Meaning(Enum):
    """What to make of an error."""

    REFUSED = "a value that the database cannot hold"
    AGAIN = "surely undone, and likely to succeed when tried again"
    CUT_OFF = "the connection ended or hung; what was sent may have been done"
    UNAVAILABLE = "surely nothing was done"
    SETUP = "a person has to mend something first"


_BY_STATE: Final = {
    "40001": Meaning.AGAIN,
    "40P01": Meaning.AGAIN,
    "55P03": Meaning.AGAIN,
    "25006": Meaning.CUT_OFF,  # a primary that became a standby
    "57014": Meaning.CUT_OFF,
}
_BY_CLASS: Final = {
    "08": Meaning.CUT_OFF,
    "57": Meaning.CUT_OFF,
    "22": Meaning.REFUSED,
    "23": Meaning.REFUSED,
    "28": Meaning.SETUP,
    "3D": Meaning.SETUP,
    "3F": Meaning.SETUP,
    "42": Meaning.SETUP,
    "54": Meaning.REFUSED,
}
_BY_SQLITE_NAME: Final = {
    "SQLITE_BUSY": Meaning.AGAIN,
    "SQLITE_LOCKED": Meaning.AGAIN,
    "SQLITE_TOOBIG": Meaning.REFUSED,
    "SQLITE_MISMATCH": Meaning.REFUSED,
    "SQLITE_CONSTRAINT": Meaning.REFUSED,
    "SQLITE_IOERR": Meaning.CUT_OFF,
    "SQLITE_CANTOPEN": Meaning.SETUP,
    "SQLITE_ERROR": Meaning.SETUP,  # no such table or column: our own statements hold no other error
    "SQLITE_NOTADB": Meaning.SETUP,
    "SQLITE_CORRUPT": Meaning.SETUP,
    "SQLITE_READONLY": Meaning.SETUP,
    "SQLITE_PERM": Meaning.SETUP,
}


def meaning_of(error: BaseException) -> Meaning:
    """Tell what an error of ``DRIVER_ERRORS`` means, supposing that something had been sent."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return Meaning.CUT_OFF
        return _meaning_of_answer(error)
    if isinstance(error, PostgresError):
        return _meaning_of_word(error)
    if isinstance(error, sqlite3.Error):
        return _meaning_of_name(error)
    if isinstance(error, ClientError) and isinstance(error, ValueError):
        return Meaning.REFUSED  # the driver itself finds no place for a value
    if isinstance(error, StatementError | UnicodeEncodeError | OverflowError):
        return Meaning.REFUSED
    if isinstance(error, PoolTimeout):
        return Meaning.UNAVAILABLE
    return Meaning.CUT_OFF


def as_fault(error: BaseException, meaning: Meaning, *, address: str) -> JobmillError:
    """Make the port's own error; ``address`` names the database and holds no secret."""
    words = _words(error)
    match meaning:
        case Meaning.REFUSED:
            # What follows the colon shows the value, which may be somebody's secret.
            return StorageRefused(f"the database refuses a value: {words.partition(':')[0]}")
        case Meaning.SETUP:
            hint = f"; {MEND}" if _lacks_schema(error) else ""
            return SetupFault(f"the database {address} cannot be used: {words}{hint}")
        case Meaning.CUT_OFF:
            return StorageUnknown(f"the database {address} was cut off: {words}")
        case _ if isinstance(error, PoolTimeout):
            return StorageUnavailable("all database connections are in use", retry_after=POOL_RETRY)
        case _:
            return StorageUnavailable(f"the database {address} did not take the statement: {words}")


def _meaning_of_answer(error: DBAPIError) -> Meaning:
    if isinstance(error.orig, sqlite3.Error):
        return _meaning_of_name(error.orig)
    if isinstance(error, InterfaceError):
        return Meaning.CUT_OFF
    if isinstance(error, NotSupportedError):
        return Meaning.AGAIN  # a statement prepared before somebody migrated; SQLAlchemy forgets it now
    return _meaning_of_word(error.orig)


def _meaning_of_name(error: sqlite3.Error) -> Meaning:
    """The extended names, such as SQLITE_BUSY_SNAPSHOT, begin with the plain ones."""
    name = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
    return _BY_SQLITE_NAME.get(name, Meaning.UNAVAILABLE)


def _meaning_of_word(error: object) -> Meaning:
    if isinstance(error, InvalidCachedStatementError):
        return Meaning.AGAIN
    state = getattr(error, "sqlstate", None) or ""
    if not state:
        return Meaning.CUT_OFF  # no word of the server: the driver itself lost its way, with the connection
    return _BY_STATE.get(state) or _BY_CLASS.get(state[:2], Meaning.UNAVAILABLE)


def _lacks_schema(error: BaseException) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or ""
    return state in {"42P01", "42703"} or getattr(cause, "sqlite_errorname", "") in {
        "SQLITE_ERROR",
        "SQLITE_CANTOPEN",
    }


def _words(error: BaseException) -> str:
    """The driver's own words; SQLAlchemy's would show the statement."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    text = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    return text.rpartition(">: ")[2]
