"""Storing many jobs, unit by unit: what does not go now is tried again, and what never will is taken out."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from attrs import define, field

from jobmill.application.errors import QueueFull, StorageRefused, Unavailable
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.submitter import Accepted, Submitter

#: How long a store that is away is waited for; a full queue is waited for without end.
PATIENCE: Final = timedelta(seconds=60)


class Stopped(Exception):
    """Nothing is to be waited for any more; the jobs of the unit are surely not stored by this try."""


@define(kw_only=True)
class StoredUnit:
    """What became of the jobs of one unit.

    Args:
        refused: jobs with a value that the database does not hold, each with what it said.
    """

    accepted: int = 0
    already_there: int = 0
    refused: list[tuple[NewJob, str]] = field(factory=list)


@define(kw_only=True, eq=False)
class PatientStoring:
    """Stores units of jobs that were checked; several may be under way at once.

    Args:
        note: told when waiting begins, and when it is over.
        stop: set when nothing is to be waited for any more.
    """

    submitter: Submitter
    note: Callable[[str], None]
    stop: asyncio.Event
    patience: timedelta = PATIENCE
    _is_waiting: bool = field(default=False, init=False)

    async def store(self, unit: Sequence[NewJob]) -> StoredUnit:
        """Store the jobs of a unit, but for such as the database does not hold.

        Raises:
            Unavailable: the store was away for longer than is waited; repeating is harmless.
            Stopped: they would have to be waited for.
        """
        stored = StoredUnit()
        await self._store(unit, stored)
        return stored

    async def _store(self, unit: Sequence[NewJob], stored: StoredUnit) -> None:
        try:
            accepted = await self._taken(unit)
        except StorageRefused as error:
            if len(unit) == 1:
                stored.refused.append((unit[0], str(error)))
                return
            middle = len(unit) // 2
            await self._store(unit[:middle], stored)
            await self._store(unit[middle:], stored)
        else:
            replayed = sum(each.replayed for each in accepted)
            stored.already_there += replayed
            stored.accepted += len(accepted) - replayed

    async def _taken(self, unit: Sequence[NewJob]) -> Sequence[Accepted]:
        loop = asyncio.get_running_loop()
        away_since_s: float | None = None
        while True:
            try:
                accepted = await self.submitter.store(unit)
            except QueueFull as error:
                away_since_s = None
                await self._wait(error)
            except Unavailable as error:
                away_since_s = loop.time() if away_since_s is None else away_since_s
                if loop.time() - away_since_s >= self.patience.total_seconds():
                    raise
                await self._wait(error)
            else:
                if self._is_waiting:
                    self._is_waiting = False
                    self.note("going on")
                return accepted

    async def _wait(self, error: Unavailable) -> None:
        """Wait as long as the error says; who waits beside others says nothing of it."""
        if self.stop.is_set():
            raise Stopped
        if not self._is_waiting:
            self._is_waiting = True
            self.note(f"waiting: {error}; trying again every {error.retry_after.total_seconds():g} s")
        with suppress(TimeoutError):
            async with asyncio.timeout(error.retry_after.total_seconds()):
                await self.stop.wait()
                raise Stopped
