"""Presence locks in memory: they end when a test ends the connection, as a kill does."""

from datetime import datetime

from attrs import define, field, frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Tables
from jobmill.application.errors import PresenceLost, StorageUnavailable
from jobmill.application.ports.presence import Presence, PresenceSession


@define(kw_only=True, eq=False)
class MemoryPresenceSession(PresenceSession):
    """A connection that lives until it is closed or severed."""

    _database: Database
    _keys: set[int] = field(factory=set)
    _has_ended: bool = False

    async def hold(self, key: int) -> bool:
        """Take the lock if nobody else has it."""

        def statement(tables: Tables, _now: datetime) -> bool:
            self._check()
            taken = tables.presences.setdefault(key, self) is self
            if taken:
                self._keys.add(key)
            return taken

        return await self._database.run("presence.hold", statement)

    async def look(self) -> frozenset[int]:
        """See who has which."""

        def statement(tables: Tables, _now: datetime) -> frozenset[int]:
            self._check()
            if any(tables.presences.get(key) is not self for key in self._keys):
                raise PresenceLost("the lock is not with this session")
            return frozenset(tables.presences)

        return await self._database.run("presence.look", statement)

    async def close(self) -> None:
        """Free what is held; a server learns of that without a statement."""
        self.sever()

    def sever(self) -> None:
        """Break the connection, from either side."""
        self._has_ended = True
        held = self._database.tables.presences
        for key in self._keys:
            if held.get(key) is self:
                del held[key]

    def _check(self) -> None:
        if self._has_ended:
            raise StorageUnavailable("the connection has ended")


@frozen(kw_only=True)
class MemoryPresence(Presence):
    """The presence of one process."""

    database: Database
    _sessions: list[MemoryPresenceSession] = field(factory=list, init=False)

    async def open(self) -> PresenceSession:
        """Connect."""

        def statement(_tables: Tables, _now: datetime) -> MemoryPresenceSession:
            return MemoryPresenceSession(database=self.database)

        session = await self.database.run("presence.open", statement)
        self._sessions[:] = [*(each for each in self._sessions if not each._has_ended), session]  # noqa: SLF001
        return session

    def sever(self) -> None:
        """Break all connections of this process, as its end does."""
        for session in self._sessions:
            session.sever()
