"""The telephone network, simulated: what becomes of a call is told by its number."""

import asyncio
from typing import Final

BUSY_TWICE: Final = "+15550100001"
NOBODY: Final = "+15550100002"
SOMEBODY: Final = "+15550100003"
#: How long it rings until somebody answers.
RING_S: Final = 0.02


class Busy(Exception):
    """The line is busy; it may be free later."""


class NoSuchNumber(Exception):
    """The number belongs to nobody."""


async def dial(number: str, *, attempt: int) -> float:
    """Place a call and return for how many seconds it rang.

    Raises:
        Busy: try again later.
        NoSuchNumber: no further try makes sense.
    """
    await asyncio.sleep(RING_S)
    if number == NOBODY:
        raise NoSuchNumber(f"{number} belongs to nobody")
    if number == BUSY_TWICE and attempt <= 2:
        raise Busy("the line is busy")
    return RING_S
