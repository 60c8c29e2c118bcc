"""Taking jobs: by their notice if it is fresh, by a look at the row if it is not."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from attrs import define, field, frozen

from jobmill.application.attendance import Attendance
from jobmill.application.commits import Commits
from jobmill.application.errors import Unavailable
from jobmill.application.handlers import Registry
from jobmill.application.misfits import Misfit, misfit_before_claim
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.job_repository import Saved, Stale, Unknown
from jobmill.application.run import Run
from jobmill.domain.job import Job
from jobmill.domain.lease import LeasePolicy
from jobmill.domain.states import WAITING, Fact
from jobmill.domain.transition import Transition


@frozen(kw_only=True)
class Claimed:
    """What came of notices; a job in neither list needs no run here.

    Args:
        runs: what started.
        undecided: jobs about which the store could not be asked to the end; their notices are still needed.
        reason: what the store said last, where anything is undecided.
    """

    runs: Sequence[Run] = ()
    undecided: Sequence[Job] = ()
    reason: str = ""


@define
class _Sent:
    """The answers to some moves: what started, what was refused, and what nobody knows."""

    runs: list[Run] = field(factory=list)
    stale: list[Job] = field(factory=list)
    unknown: list[Job] = field(factory=list)

    @property
    def reason(self) -> str:
        return "the database was cut off in the middle" if self.unknown else ""


@frozen(kw_only=True)
class Claimer:
    """Claims jobs for one worker."""

    commits: Commits
    registry: Registry
    clock: Clock
    entropy: Entropy
    lease: LeasePolicy
    attendance: Attendance

    async def claim(self, notices: Sequence[Job]) -> Claimed:
        """Start what can be started of the jobs announced.

        Args:
            notices: each job at most once.
        """
        starts: list[Transition] = []
        looks: list[Job] = []
        now, worker = self.clock.now(), self.attendance.name
        for job in notices:
            if self._can_start(job):
                starts.append(self._start(job, worker, now))
            else:
                looks.append(job)
        try:
            sent = await self._send(starts)
        except Unavailable as error:
            return Claimed(undecided=notices, reason=str(error))
        looks += sent.stale
        if not looks:
            return Claimed(runs=sent.runs, undecided=sent.unknown, reason=sent.reason)
        try:
            again = await self._look_again(looks)
        except Unavailable as error:  # what was started before must run all the same
            return Claimed(runs=sent.runs, undecided=[*sent.unknown, *looks], reason=str(error))
        return Claimed(
            runs=[*sent.runs, *again.runs],
            undecided=[*sent.unknown, *again.unknown],
            reason=again.reason or sent.reason,
        )

    async def _look_again(self, jobs: Sequence[Job]) -> _Sent:
        """Decide by the rows as they are now. What is not waiting or not due needs nothing from here."""
        rows = await self.commits.look([job.id for job in jobs])
        now, worker = self.clock.now(), self.attendance.name
        moves: list[Transition] = []
        for notice, row in zip(jobs, rows, strict=True):
            if row is None or row.state not in WAITING:
                continue  # gone, over, or running somewhere
            if row.suspect and not notice.suspect:
                continue  # its own notice travels alone, and only one suspect runs in a worker at a time
            if row.stop_asked:
                moves.append(row.cancel(now=now, stamp=self.entropy.stamp()))
            elif row.is_expired(now):
                moves.append(row.expire(now=now, stamp=self.entropy.stamp()))
            elif (misfit := misfit_before_claim(row, self.registry)) is not None:
                moves.append(self._defer(row, misfit))
            elif row.is_due(now) and row.attempt < row.max_attempts:
                moves.append(self._start(row, worker, now))
        return await self._send(moves)

    async def _send(self, moves: Sequence[Transition]) -> _Sent:
        if not moves:
            return _Sent()
        sent_s = asyncio.get_running_loop().time()
        # A claim is asked for again while its lease has time left, counted from the first try.
        answers = await self.commits.claim(moves, within_s=self.lease.belief_ends(0.0))
        sent = _Sent()
        believes_until_s = self.lease.belief_ends(sent_s)
        for move, answer in zip(moves, answers, strict=True):
            match answer:
                case Saved(job=job) if move.fact is Fact.STARTED:
                    sent.runs.append(Run(job=job, sent_s=sent_s, believes_until_s=believes_until_s))
                case Stale():
                    sent.stale.append(move.before)
                case Unknown():
                    sent.unknown.append(move.before)
                case _:
                    pass
        return sent

    def _can_start(self, job: Job) -> bool:
        return (
            job.state in WAITING
            and not job.stop_asked
            and job.attempt < job.max_attempts
            and misfit_before_claim(job, self.registry) is None
        )

    def _start(self, job: Job, worker: str, now: datetime) -> Transition:
        return job.start(worker=worker, lease=self.lease.ttl, now=now, stamp=self.entropy.stamp())

    def _defer(self, job: Job, misfit: Misfit) -> Transition:
        """The code here cannot run it: let it come round again, perhaps to a worker that can."""
        return job.defer(misfit.wait, misfit.reason, now=self.clock.now(), stamp=self.entropy.stamp())
