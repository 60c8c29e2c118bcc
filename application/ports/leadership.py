"""One leader at a time, to save work; every step is safe with two."""

from datetime import timedelta
from typing import Protocol


class Leadership(Protocol):
    """A row per role with its holder, in the store's time. Raises ``StorageUnavailable``."""

    async def hold(self, role: str, *, holder: str, ttl: timedelta) -> bool:
        """Take or keep the role until the store's now plus ``ttl``; False while another holds it."""
        ...

    async def holder(self, role: str) -> str | None:
        """Return who held the role last, whether or not its time is over; None after a resignation."""
        ...

    async def resign(self, role: str, *, holder: str) -> None:
        """Give the role up if held, by oneself or by somebody who is surely dead."""
        ...
