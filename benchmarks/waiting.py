"""Waiting for what can only be asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from benchmarks.children import Failed

_STEP_S: Final = 0.05


async def until(
    holds: Callable[[], Awaitable[bool]], *, within_s: float, what: str, step_s: float = _STEP_S
) -> None:
    """Ask again and again until it holds; raises ``Failed``, which says ``what`` did not come."""
    try:
        async with asyncio.timeout(within_s):
            while not await holds():  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(step_s)
    except TimeoutError:
        raise Failed(f"{what}: not within {within_s:g} s") from None


async def answers(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def is_ready(port: int) -> bool:
    """Whether a process of Jobmill's on this machine says that it is ready to work."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()
