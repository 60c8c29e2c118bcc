"""Bringing a database to the newest revision, whoever else is trying the same."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from jobmill.adapters.sql import postgres, sqlite
from jobmill.adapters.sql.address import Address
from jobmill.adapters.sql.faults import DRIVER_ERRORS, Meaning, as_fault, meaning_of
from jobmill.adapters.sql.limits import Limits
from jobmill.adapters.sql.schema import REVISION, REVISION_TABLE
from jobmill.application.errors import SetupFault

_SCRIPTS: Final = Path(__file__).with_name("migrations")
#: Any number, the same for all who migrate Jobmill's tables.
_MIGRATORS_LOCK: Final = 0x6A6F_626D_696C_6C
#: A migration takes as long as it takes, but it never queues behind a lock for long: all who come after it
#: would wait as well.
_LIMITS: Final = Limits(statement_timeout_s=0.0, lock_timeout_s=5.0)
#: How long one migrator waits for another.
_TURN_WITHIN_S: Final = 300.0


async def migrate(url: str) -> tuple[int, int]:
    """Bring a database to the newest revision, in one transaction; make the file of a SQLite database.

    Returns:
        The numbers of the revision it was at, 0 for none, and of the one it is at now.

    Raises:
        SetupFault: the database is newer than this Jobmill, or cannot be used as it is.
        StorageUnavailable: it cannot be reached, or a table stayed locked; nothing was changed.
        StorageUnknown: it was cut off in the middle; migrating again is harmless.
    """
    address = Address.parse(url)
    engine = _engine(address)
    sent = False
    try:
        async with engine.begin() as connection:
            sent = True
            return await connection.run_sync(_upgrade, str(address))
    except DRIVER_ERRORS as error:
        meaning = meaning_of(error)
        if not sent and meaning is Meaning.CUT_OFF:
            meaning = Meaning.UNAVAILABLE
        raise as_fault(error, meaning, address=str(address)) from error
    finally:
        await engine.dispose()


def _engine(address: Address) -> AsyncEngine:
    if address.file is None:
        return postgres.one_time_engine(address, _LIMITS)
    return sqlite.one_time_engine(address, _LIMITS)


def _upgrade(connection: Connection, address: str) -> tuple[int, int]:
    if connection.dialect.name == "postgresql":
        _wait_for_turn(connection)
    before = _revision(connection)
    if before > REVISION:
        raise SetupFault(
            f"the database {address} is at revision {before:04} and this Jobmill knows only {REVISION:04}; "
            "install the newer Jobmill"
        )
    if before < REVISION:
        from alembic import command  # loaded only where there is something to do
        from alembic.config import Config

        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
        command.upgrade(config, f"{REVISION:04}")
    return before, _revision(connection)


def _wait_for_turn(connection: Connection) -> None:
    """Take the lock that ends with the transaction. SQLite's transaction is such a lock by itself."""
    milliseconds = round(_TURN_WITHIN_S * 1000)
    connection.execute(text(f"SET LOCAL lock_timeout = {milliseconds}"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATORS_LOCK})"))
    connection.execute(text(f"SET LOCAL lock_timeout = {round(_LIMITS.lock_timeout_s * 1000)}"))


def _revision(connection: Connection) -> int:
    """Read alembic's table without alembic, which is slow to load and mostly has nothing to do."""
    if not inspect(connection).has_table(REVISION_TABLE):
        return 0
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {REVISION_TABLE}"))  # noqa: S608 (ours)
    return int(found or 0)
