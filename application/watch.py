"""Waiting for jobs to end: any number of waiters cost one look at the store per tick."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from jobmill.application.errors import SetupFault, Unavailable
from jobmill.application.ports.job_finder import JobFinder
from jobmill.application.ports.observer import Observer
from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL
from jobmill.domain.transition import Transition

#: Most jobs are short, so whoever begins to wait is looked after often at first, and then less and less.
LOOK_FIRST_S: Final = 0.05
LOOK_MAX_S: Final = 0.5
LOOK_GROWTH: Final = 1.3
#: Waiters of one process; each may hold a connection of its client's.
WAITERS_MAX: Final = 1_000


class Watch(Observer):
    """Tells waiters when their jobs are finished.

    What this process finishes itself it hears of at once, as an ``Observer``; for the rest it looks.
    """

    def __init__(self, *, finder: JobFinder) -> None:
        self._finder = finder
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._count = 0
        self._pause_s = LOOK_FIRST_S
        self._looking: asyncio.Task[None] | None = None
        self._is_stopped = False

    async def finished(self, job_id: UUID, *, within_s: float) -> bool:
        """Wait until the job is finished, and say whether it is.

        False where the time is over, where so many wait already that one more would be too many, and after
        ``stop``: the caller looks for itself then.
        """
        if self._is_stopped or self._count >= WAITERS_MAX:
            return False
        ended = asyncio.Event()
        self._waiting.setdefault(job_id, set()).add(ended)
        self._count += 1
        self._pause_s = LOOK_FIRST_S
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="watch")
        try:
            async with asyncio.timeout(within_s):
                await ended.wait()
        except TimeoutError:
            return False
        finally:
            self._count -= 1
            self._leave(job_id, ended)
        return not self._is_stopped

    def stop(self) -> None:
        """Send all waiters home; nobody waits here any more."""
        self._is_stopped = True
        for job_id in list(self._waiting):
            self._wake(job_id)

    def submitted(self, jobs: Sequence[Job]) -> None:
        """Nothing new is finished."""

    def moved(self, transitions: Sequence[Transition]) -> None:
        """Wake those who wait for what was just finished here."""
        if not self._waiting:
            return
        for transition in transitions:
            if transition.job.state in TERMINAL:
                self._wake(transition.job.id)

    def noted(self, event: str, **fields: object) -> None:
        """Not for us."""

    async def _look(self) -> None:
        """Look for all of them together, as long as there are any."""
        while self._waiting:
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * LOOK_GROWTH, LOOK_MAX_S)
            try:
                finished = await self._finder.finished(list(self._waiting))
            except (Unavailable, SetupFault):
                continue  # whoever waits hears of it from a look of their own
            for job_id in finished:
                self._wake(job_id)

    def _wake(self, job_id: UUID) -> None:
        for ended in self._waiting.pop(job_id, ()):
            ended.set()

    def _leave(self, job_id: UUID, ended: asyncio.Event) -> None:
        waiting = self._waiting.get(job_id, set())
        waiting.discard(ended)
        if not waiting:
            self._waiting.pop(job_id, None)
            if not self._waiting and self._looking is not None:
                self._looking.cancel()
                self._looking = None
