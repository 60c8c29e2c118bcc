"""How much may be under way to the broker at one time."""

import asyncio
from typing import Final

from jobmill.adapters.rabbitmq.bounds import IN_FLIGHT_BYTES_MAX, IN_FLIGHT_COUNT_MAX


class InFlight:
    """Room for messages that await their confirm; first come, first served."""

    def __init__(self, *, count_max: int = IN_FLIGHT_COUNT_MAX, bytes_max: int = IN_FLIGHT_BYTES_MAX) -> None:
        self._count_max: Final = count_max
        self._bytes_max: Final = bytes_max
        self._count = 0
        self._bytes = 0
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    async def enter(self, count: int, size: int) -> None:
        """Wait for room for so many messages of so many bytes in all, and take it."""
        async with self._turn:
            # What is larger than all the room goes when it is empty.
            while self._count and not self._fits(count, size):
                self._freed.clear()
                await self._freed.wait()
            self._count += count
            self._bytes += size

    def leave(self, count: int, size: int) -> None:
        """Give the room back."""
        self._count -= count
        self._bytes -= size
        self._freed.set()

    def _fits(self, count: int, size: int) -> bool:
        return self._count + count <= self._count_max and self._bytes + size <= self._bytes_max
