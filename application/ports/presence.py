"""Locks that end with the process that holds them, so that its death is seen before its leases are over."""

from typing import Protocol


class PresenceSession(Protocol):
    """One connection to the store. Whatever it holds is free as soon as the connection has ended.

    Every method but ``close`` may raise ``Unavailable`` or ``SetupFault``: then the session may have ended.
    """

    async def hold(self, key: int) -> bool:
        """Take the lock of a key, 32 bits; False while another session has it."""
        ...

    async def look(self) -> frozenset[int]:
        """Return the keys of all locks that are held now, by whomever.

        Raises:
            PresenceLost: a lock that this session took is not held by it any more.
        """
        ...

    async def close(self) -> None:
        """End the connection at once. Never fails and never waits for the store."""
        ...


class Presence(Protocol):
    """The locks of one store. Only locks of one and the same life of the store are ever compared."""

    async def open(self) -> PresenceSession:
        """Return a new session; raises ``Unavailable`` and ``SetupFault``."""
        ...
