"""Bringing what handlers say of their progress to the store, at an even pace."""

import asyncio
from typing import Final
from uuid import UUID

from jobmill.application.errors import StorageRefused, Unavailable
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.progress import ProgressBoard, ProgressReport
from jobmill.application.run import Run

#: At most one statement in so long, whatever the handlers say.
PAUSE_S: Final = 1.0


class ProgressWriter:
    """Keeps the newest report of each run and writes them together.

    It holds at most one report for each job that runs. What the store does not take is tried again until the
    run is over; then it is of no use to anybody.
    """

    def __init__(self, *, board: ProgressBoard, observer: Observer) -> None:
        self._board = board
        self._observer = observer
        self._newest: dict[UUID, ProgressReport] = {}
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def report(self, run: Run, fraction: float, note: str | None) -> None:
        """Note how far a run is. From any thread; costs no time and never fails."""
        self._newest[run.job.id] = ProgressReport(
            fence=run.fence, attempt=run.job.attempt, fraction=fraction, note=note
        )
        if self._loop is not None and not self._wake.is_set():
            try:
                self._loop.call_soon_threadsafe(self._wake.set)
            except RuntimeError:
                pass  # the loop is closed, and a thread was left behind

    def forget(self, run: Run) -> None:
        """The run is over."""
        if self._newest:
            self._newest.pop(run.job.id, None)

    async def run(self) -> None:
        """Write until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            if not self._newest:
                await self._wake.wait()
            self._wake.clear()
            await self._write()
            await asyncio.sleep(PAUSE_S)

    async def _write(self) -> None:
        reports = tuple(self._newest.values())
        if not reports:
            return
        try:
            await self._board.write(reports)
        except Unavailable as error:
            self._observer.noted("progress not written", jobs=len(reports), reason=str(error))
            return
        except StorageRefused as error:
            self._observer.noted("progress not written", jobs=len(reports), reason=str(error))
        for report in reports:
            if self._newest.get(report.fence.job_id) is report:
                self._newest.pop(report.fence.job_id, None)
