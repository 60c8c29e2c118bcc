"""One attempt as it runs in this process."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum

from attrs import define, field

from jobmill.domain.job import Job
from jobmill.domain.transition import Fence


class Interrupt(Enum):
    """Why a handler is stopped before its own end."""

    TIMEOUT = "timeout"
    STOP_ASKED = "stop asked"
    LEASE_LOST = "lease lost"
    PRESENCE_LOST = "presence lost"
    SHUTDOWN = "shutdown"


@define(eq=False)
class Run:
    """A claimed job and what this worker believes of its lease.

    Args:
        job: as it was claimed.
        sent_s: loop time just before the last claim or renewal was sent; a third of a lease earlier where it
            has to be sent again at once.
        believes_until_s: loop time at which the handler is stopped unless the lease is renewed.
    """

    job: Job
    sent_s: float
    believes_until_s: float
    interrupt: Interrupt | None = None
    is_settling: bool = False
    is_abandoned: bool = False
    is_committed: bool = False
    _is_committing: bool = field(default=False, init=False)
    _late: Interrupt | None = field(default=None, init=False)
    _task: "asyncio.Task[object] | None" = field(default=None, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    @property
    def fence(self) -> Fence:
        """What the claim made."""
        return self.job.fence

    @property
    def stop_asked(self) -> bool:
        """Somebody wants the job to stop."""
        return self.job.stop_asked

    def begin(self) -> None:
        """Note that the calling task runs the handler from here."""
        self._task = asyncio.current_task()

    def ends_by(self, until_s: float) -> None:
        """Stop the handler at this loop time, unless it has ended by itself."""
        self._timer = asyncio.get_running_loop().call_at(until_s, self.stop, Interrupt.TIMEOUT)

    @property
    def is_cancelling(self) -> bool:
        """Somebody, the handler perhaps, has cancelled the task that runs it."""
        return self._task is not None and self._task.cancelling() > 0

    def end(self) -> bool:
        """Note that the handler has ended; True if it was interrupted. No interrupt reaches it from here."""
        self.is_settling = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and self.interrupt is not None:
            while self._task.cancelling():
                self._task.uncancel()
        return self.interrupt is not None

    @contextmanager
    def committing(self) -> Generator[None]:
        """Keep interrupts waiting while the block lasts; ``is_committed`` may be set in it."""
        self._is_committing = True
        try:
            yield
        finally:
            self._is_committing = False
            if self._late is not None:
                self.stop(self._late)

    def stop(self, reason: Interrupt) -> None:
        """Cancel the handler, once, for the first reason that comes; never in the middle of its commit."""
        if self.interrupt is not None or self.is_settling:
            return
        if self._is_committing:
            self._late = self._late or reason
            return
        if self.is_committed and reason not in (Interrupt.TIMEOUT, Interrupt.SHUTDOWN):
            return  # the job is over, and nobody can take it any more
        self.interrupt = reason
        if self._task is not None:
            self._task.cancel()
