"""Long work on the event loop, in pieces: between them it is everybody else's turn."""

import asyncio
from typing import Final

#: About two milliseconds' worth of reading and checking.
PIECE_BYTES: Final = 32 * 1024


class Pauses:
    """Lets others have their turn after every so many bytes of work."""

    def __init__(self) -> None:
        self._worked_bytes = 0

    async def after(self, size_bytes: int) -> None:
        """Note a piece of work, however small; pause if enough was done."""
        if self.is_due(size_bytes):
            await asyncio.sleep(0)

    def is_due(self, size_bytes: int) -> bool:
        """Note a piece of work; tell whether it is time for ``asyncio.sleep(0)``."""
        self._worked_bytes += size_bytes
        if self._worked_bytes < PIECE_BYTES:
            return False
        self._worked_bytes = 0
        return True
