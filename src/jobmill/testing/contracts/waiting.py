"""Waiting by looking: every wait in the server kit ends by an answer or by a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable

LOOK_EVERY_S = 0.05


async def until(
    answered: Callable[[], Awaitable[bool]],
    *,
    within_s: float,
    hopeless: Callable[[], bool] = lambda: False,
) -> bool:
    """Look until ``answered`` says yes.

    Returns:
        False when ``within_s`` seconds are over, or at once when ``hopeless`` says that no yes can come.
    """
    end = time.monotonic() + within_s
    while not await answered():
        if hopeless() or time.monotonic() >= end:
            return False
        await asyncio.sleep(LOOK_EVERY_S)
    return True
