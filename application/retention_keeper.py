"""Letting go of what is over, a little at a time."""

import asyncio
from typing import Final

from jobmill.application.errors import SetupFault, StorageUnavailable
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.retention import RetentionSteps
from jobmill.domain.retention import Retention

#: How often it is looked whether something is past.
LOOK_EVERY_S: Final = 300.0
#: Rows of one deletion, which no other writer has to wait for long.
PAGE: Final = 1_000
#: Deletions of one step, so that the other chores have their turn: 10,000 jobs a second at most.
_PAGES_MAX: Final = 20


class RetentionKeeper:
    """Deletes jobs and foreign messages that are kept no longer. Safe with two at once."""

    def __init__(self, *, steps: RetentionSteps, retention: Retention, observer: Observer) -> None:
        self._steps = steps
        self._retention = retention
        self._observer = observer
        self._look_at_s = 0.0
        self._complaint = ""

    async def step(self) -> None:
        """Look from time to time, and go on with the next step while there is more.

        Raises:
            Unavailable: the store cannot be reached.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._look_at_s:
            return
        is_through = not await self._turned() and await self._deleted_all()
        if is_through:
            self._look_at_s = loop.time() + LOOK_EVERY_S

    async def _turned(self) -> bool:
        """Take the store's own step. What is in its way keeps no other deletion from being done."""
        try:
            turned = await self._steps.turn(self._retention.by_state)
        except (StorageUnavailable, SetupFault) as error:
            if str(error) != self._complaint:
                self._observer.noted("days of jobs are neither made nor dropped", reason=str(error))
            self._complaint = str(error)
            return False
        self._complaint = ""
        return turned

    async def _deleted_all(self) -> bool:
        """Delete a bounded number of rows; False if there may be more."""
        jobs = messages = pages = 0
        page = PAGE
        while page == PAGE and pages < _PAGES_MAX:
            page = await self._steps.delete_jobs(self._retention.by_state, limit=PAGE)
            jobs, pages = jobs + page, pages + 1
        if self._retention.dead is not None:
            messages = await self._steps.delete_foreign(self._retention.dead, limit=PAGE)
        if jobs or messages:
            self._observer.noted("retention", jobs=jobs, messages=messages)
        return page < PAGE and messages < PAGE
