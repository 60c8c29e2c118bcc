"""A delivery in hand, and when it may be acknowledged."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, Protocol

from jobmill.application.ports.message_bus import Delivery, Lane
from jobmill.domain.job import Job


class Gate(Protocol):
    """Says which jobs may begin at this moment; see ``Admission``.

    Whether a job is free stays as it is for as long as the edition does.
    """

    @property
    def edition(self) -> int: ...
    def is_free(self, job: Job) -> bool: ...
    def admits(self, job: Job) -> bool: ...
    def begin(self, job: Job) -> None: ...


class _OpenGate(Gate):
    edition = 0

    def is_free(self, job: Job) -> bool:
        return True

    def admits(self, job: Job) -> bool:
        return True

    def begin(self, job: Job) -> None:
        """Everybody may."""


_OPEN: Final = _OpenGate()


class Holding:
    """Counts what became of each job of one delivery.

    It is acknowledged when every job is settled, sent back or found to need no run, or, past the deadline,
    when the others at least are claimed with the claim committed. Never on the timer alone: then a lost
    notice could be the last of its job.

    Args:
        answered: told once, when it is acknowledged or put back.
    """

    def __init__(
        self,
        delivery: Delivery,
        *,
        lane: Lane,
        jobs: Sequence[Job],
        ack_deadline: timedelta,
        answered: "Callable[[Holding], None]" = lambda _: None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.lane = lane
        self.size = len(jobs)
        self.received_s = loop.time()
        self.todo = deque(jobs)
        self._not_free: list[Job] = []  # of those that wait
        self._counted = (-1, -1)  # how many waited when that was looked at, and the edition of the gate
        self._delivery = delivery
        self._answered = answered
        self._unready = len(jobs)
        self._running = 0
        self._is_overdue = False
        self._is_answered = False
        self._timer = loop.call_later(ack_deadline.total_seconds(), self.leave_to_leases)
        self._answer_if_ready()

    @property
    def is_answered(self) -> bool:
        """Acknowledged or put back."""
        return self._is_answered

    @property
    def is_untouched(self) -> bool:
        """Nothing of it was handed to a run yet."""
        return len(self.todo) == self.size

    @property
    def holds_suspects(self) -> bool:
        """A job that may have killed its worker waits here."""
        return any(job.suspect for job in self.todo)

    def waiting(self, gate: Gate) -> int:
        """Count the jobs that could be taken now, where each is looked at by itself."""
        if not self._is_counted(gate):
            self._not_free = [job for job in self.todo if not gate.is_free(job)]
            self._count(gate)
        admitted = [job for job in self._not_free if gate.admits(job)]
        suspects = sum(job.suspect for job in admitted)
        return len(self.todo) - len(self._not_free) + len(admitted) - max(0, suspects - 1)

    def take(self, count: int, gate: Gate = _OPEN) -> list[Job]:
        """Take jobs out that begin, in order; one suspect at most, and none that is not admitted."""
        taken: list[Job] = []
        if self._is_counted(gate) and not self._not_free:
            taken += [self.todo.popleft() for _ in range(min(count, len(self.todo)))]
            self._count(gate)
            return taken
        left: list[Job] = []
        may_suspect = True
        while self.todo and len(taken) < count:
            job = self.todo.popleft()
            if not gate.is_free(job):
                if (job.suspect and not may_suspect) or not gate.admits(job):
                    left.append(job)
                    continue
                gate.begin(job)
                may_suspect = may_suspect and not job.suspect
            taken.append(job)
        self.put_back(left)
        return taken

    def take_all(self) -> list[Job]:
        """Take out what is left, to be sent back."""
        left = list(self.todo)
        self.todo.clear()
        return left

    def put_back(self, jobs: Sequence[Job]) -> None:
        """Put jobs first again that could not be claimed."""
        self.todo.extendleft(reversed(jobs))
        self._counted = (-1, -1)

    def need_no_run(self, count: int) -> None:
        """So many jobs are over, running elsewhere, or sent back."""
        self._unready -= count
        self._answer_if_ready()

    def are_claimed(self, count: int) -> None:
        """So many jobs run here, with the claim committed."""
        self._running += count
        self._answer_if_ready()

    def are_settled(self, count: int) -> None:
        """So many running jobs are over."""
        self._running -= count
        self._unready -= count
        self._answer_if_ready()

    def release(self) -> None:
        """Put an untouched delivery back for anyone."""
        assert self.is_untouched
        if not self._is_answered:
            self._end()
            self._delivery.release()

    def leave_to_leases(self) -> None:
        """The deadline is over, or is not to be waited for: leases alone carry what is claimed."""
        self._is_overdue = True
        self._answer_if_ready()

    def _is_counted(self, gate: Gate) -> bool:
        return self._counted == (len(self.todo), gate.edition)

    def _count(self, gate: Gate) -> None:
        self._counted = (len(self.todo), gate.edition)

    def _answer_if_ready(self) -> None:
        if self._is_answered:
            return
        if self._unready == 0 or (self._is_overdue and self._unready == self._running):
            self._end()
            self._delivery.ack()

    def _end(self) -> None:
        self._is_answered = True
        self._timer.cancel()
        self._answered(self)
