"""A bounded number of children, started when first needed and used again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from jobmill.adapters.processes.child_process import ChildProcess, NotBegun
from jobmill.application.outcomes import Outcome
from jobmill.application.ports.executors import Errand, Processes, Report
from jobmill.domain.failure import Failure, FailureKind

#: Children that may end before they take an errand, until it fails.
TRIES: Final = 3


class ProcessPool(Processes):
    """The children of one worker."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._free = asyncio.Semaphore(size)
        self._idle: list[ChildProcess] = []
        self._busy: set[ChildProcess] = set()

    @property
    def size(self) -> int:
        """See ``Processes``."""
        return self._size

    async def run(self, errand: Errand, *, report: Report) -> Outcome:
        """See ``Processes``."""
        reason = ""
        async with self._free:
            for _ in range(TRIES):
                try:
                    return await self._run(await self._usable(), errand, report)
                except OSError as error:
                    reason = str(error)
                    break
                except NotBegun as error:  # it ended while it was idle, or at its start
                    reason = f"it {error}"
        return Failure(kind=FailureKind.TRANSIENT, message=f"no process could be started: {reason}")

    async def _run(self, child: ChildProcess, errand: Errand, report: Report) -> Outcome:
        self._busy.add(child)
        try:
            return await child.run(errand, report=report)
        finally:
            self._busy.discard(child)
            if child.is_usable:
                self._idle.append(child)

    async def _usable(self) -> ChildProcess:
        """The one that was used last, for the others may be needed no more."""
        while self._idle:
            child = self._idle.pop()
            if child.is_usable:
                return child
            await child.kill()
        return await ChildProcess.start()

    async def close(self) -> None:
        """End all children, whatever they do."""
        for child in (*self._idle, *self._busy):
            await child.kill()
        self._idle.clear()


@asynccontextmanager
async def open_processes(*, size: int) -> AsyncGenerator[ProcessPool]:
    """Yield a pool whose children are gone at the end.

    Args:
        size: errands at once, 1 or more.
    """
    pool = ProcessPool(size=size)
    try:
        yield pool
    finally:
        await pool.close()
