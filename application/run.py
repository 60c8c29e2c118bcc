"""One attempt as it runs in this process."""

import asyncio
from collections.abc import Callable, Generator
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


@define(eq=False, slots=False, auto_attribs=False)
class Run:
    """A claimed job and what this worker believes of its lease.

    Args:
        job: as it was claimed.
        sent_s: loop time just before the last claim or renewal was sent; a third of a lease earlier where it
            has to be sent again at once.
        believes_until_s: loop time at which the handler is stopped unless the lease is renewed.
    """

    job: Job = field()
    sent_s: float = field()
    believes_until_s: float = field()
    # What few runs ever change stands in the class: there are thousands a second.
    interrupt: Interrupt | None = None
    is_settling: bool = False
    is_abandoned: bool = False
    is_committed: bool = False
    doubt: "Callable[[Run], None] | None" = field(default=None, init=False)  # set by who keeps its lease
    #: In which it runs, from its first step to the end of its handler.
    task: "asyncio.Task[None] | None" = None
    _has_begun: bool = False
    _is_timed: bool = True
    _is_committing: bool = False
    _late: Interrupt | None = None
    _timer: asyncio.TimerHandle | None = None

    @property
    def fence(self) -> Fence:
        """What the claim made."""
        return self.job.fence

    @property
    def stop_asked(self) -> bool:
        """Somebody wants the job to stop."""
        return self.job.stop_asked

    def look_again(self) -> None:
        """Stop the run if belief in it is over. Asked where its handler is about to be called.

        A process that stood still may come to the handler before the timers that were due meanwhile.
        """
        if self.doubt is not None:
            self.doubt(self)

    def begin(self) -> None:
        """Note that the task runs the handler from here."""
        self._has_begun = True

    def gathers(self) -> None:
        """Note that the task waits from here for a call that the job shares, and can be stopped."""
        self._has_begun = True
        self._is_timed = False

    def is_called(self) -> None:
        """Note that the call begins that the job shares: from here its time is counted."""
        self._set_timer(self.job.timeout.total_seconds())

    def waits(self, after_s: float) -> None:
        """Note that the run awaits something for the first time.

        Nothing stops a handler before it does, and one that never does needs no timer.

        Args:
            after_s: how long it has been at work by now.
        """
        if self._has_begun and self._is_timed:
            self._set_timer(self.job.timeout.total_seconds() - after_s)

    def _set_timer(self, after_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(after_s, self.stop, Interrupt.TIMEOUT)

    def end(self) -> bool:
        """Note that the handler has ended; True if it was interrupted. No interrupt reaches it from here."""
        self.is_settling = True
        self.task = None
        if self._timer is not None:
            self._timer.cancel()
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
        if self._has_begun and self.task is not None:
            self.task.cancel()
