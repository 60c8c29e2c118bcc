"""What a client stands on, opened by one task and closed by the same, whoever asks for either."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from attrs import frozen

from jobmill.application.enlister import Enlister
from jobmill.application.gateway import Gateway


@frozen(kw_only=True)
class Access:
    """A way to Jobmill; without an enlister where there is no database behind it."""

    gateway: Gateway
    enlister: Enlister | None = None


Opener = Callable[[], AbstractAsyncContextManager[Access]]


class Opening:
    """Keeps open what an opener opens.

    A framework may start in one task and stop in another, which an ``async with`` must not.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> Access:
        """Open it; errors are those of the opener."""
        opened: asyncio.Future[Access] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep(opened), name="jobmill client")
        either: set[asyncio.Future[Any]] = {opened, self._task}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            await self._task  # raises why not
        return opened.result()

    async def close(self) -> None:
        """Close it, once what is under way has ended; again is harmless."""
        self._closing.set()
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _keep(self, opened: "asyncio.Future[Access]") -> None:
        async with self._opener() as access:
            opened.set_result(access)
            await self._closing.wait()
