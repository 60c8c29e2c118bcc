"""Presence on PostgreSQL: session-level advisory locks, each process on a connection of its own."""

from typing import Any, Final

from attrs import define, field, frozen
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from jobmill.adapters.sql.address import Address
from jobmill.adapters.sql.dialect import Rows
from jobmill.adapters.sql.faults import DRIVER_ERRORS, Meaning, as_fault, meaning_of
from jobmill.adapters.sql.limits import Limits
from jobmill.adapters.sql.postgres import connect_args
from jobmill.application.errors import PresenceLost, StorageUnavailable
from jobmill.application.ports.presence import Presence, PresenceSession

#: The first half of every lock's name, so that ours are told from those of other programs: "JOBM".
CLASS: Final = 0x4A4F424D
#: A standby takes such locks too, where nobody who can write would see them.
_TAKING: Final = "SELECT NOT pg_is_in_recovery() AND pg_try_advisory_lock($1, $2)"
# The lock table shows both halves as unsigned numbers; a lock of two halves has 2 as its third.
_LOOKING: Final = (
    "SELECT CAST(objid AS bigint) AS key, pid = pg_backend_pid() AS mine FROM pg_locks"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND CAST(classid AS bigint) = $1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_BITS: Final = 32


@define(kw_only=True, eq=False)
class PostgresPresenceSession(PresenceSession):
    """One connection. It is asked twice a second, so by the driver's own call, which costs a quarter."""

    _address: str
    _connection: AsyncConnection
    _driver: Any
    _keys: set[int] = field(factory=set)
    _has_ended: bool = False  # SQLAlchemy would connect anew, and the lock would be gone

    async def hold(self, key: int) -> bool:
        """See ``PresenceSession``."""
        [(taken,)] = await self._ask(_TAKING, CLASS, _signed(key))
        if taken:
            self._keys.add(key)
        return bool(taken)

    async def look(self) -> frozenset[int]:
        """See ``PresenceSession``."""
        rows = await self._ask(_LOOKING, CLASS)
        if lost := self._keys - {key for key, mine in rows if mine}:
            raise PresenceLost(
                f"the presence lock {min(lost):08x} is not held by the connection that took it, "
                "as behind a proxy that pools transactions"
            )
        return frozenset(key for key, _ in rows)

    async def close(self) -> None:
        """See ``PresenceSession``. Without a goodbye, for which a dead server would let us wait."""
        if self._driver is None:
            return
        self._driver.terminate()
        self._has_ended, self._driver = True, None
        try:
            await self._connection.invalidate()
            await self._connection.close()
        except DRIVER_ERRORS:
            pass  # it has ended, then

    async def _ask(self, statement: str, *params: int) -> Rows:
        if self._has_ended:
            raise StorageUnavailable(f"the connection to the database {self._address} has ended")
        self._has_ended = True
        try:
            rows: Rows = await self._driver.fetch(statement, *params)
        except DRIVER_ERRORS as error:
            raise _fault(error, self._address) from error
        self._has_ended = False
        return rows


@frozen(kw_only=True)
class PostgresPresence(Presence):
    """The locks of one database."""

    _address: Address
    _engine: AsyncEngine

    @classmethod
    def at(cls, address: Address, limits: Limits) -> "PostgresPresence":
        """Prepare; nothing is connected yet. No connection is kept or shared, so any loop may open one."""
        engine = create_async_engine(
            address.opened(create=False),
            connect_args=connect_args(limits),
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
        )
        return cls(address=address, engine=engine)

    async def open(self) -> PresenceSession:
        """See ``Presence``."""
        try:
            connection = await self._engine.connect()
            driver = (await connection.get_raw_connection()).driver_connection
        except DRIVER_ERRORS as error:
            raise _fault(error, str(self._address)) from error
        return PostgresPresenceSession(address=str(self._address), connection=connection, driver=driver)


def _fault(error: BaseException, address: str) -> Exception:
    """Make the port's own error. Nothing is stored here, so no answer is ever in doubt."""
    meaning = meaning_of(error)
    return as_fault(error, meaning if meaning is Meaning.SETUP else Meaning.UNAVAILABLE, address=address)


def _signed(key: int) -> int:
    return key - (1 << _BITS) if key >> (_BITS - 1) else key
