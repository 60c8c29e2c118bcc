"""Handing what was received to the runner, within a bounded number of slots."""

import asyncio
import math
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Final

from jobmill.application.admission import Admission
from jobmill.application.claimer import Claimer
from jobmill.application.commits import Commits
from jobmill.application.errors import Unavailable
from jobmill.application.handler_tasks import HandlerTasks
from jobmill.application.hold_times import SUSPECT_TRIAL_S, HoldTimes
from jobmill.application.holding import Holding
from jobmill.application.intake import Intake
from jobmill.application.lease_keeper import CANCEL_GRACE_S
from jobmill.application.parcels import PARCEL_JOBS_MAX
from jobmill.application.ports.message_bus import Lane, MessageBus
from jobmill.application.ports.observer import Observer
from jobmill.application.receiver import Receiver
from jobmill.application.returner import Returner
from jobmill.application.run import Interrupt, Run
from jobmill.application.runner import Runner
from jobmill.application.step_watch import Stopwatch
from jobmill.application.turns import Turns
from jobmill.domain.job import Job
from jobmill.domain.lease import LeasePolicy

_STORE_PROBE_S: Final = 1.0


class Consumer:
    """Claims jobs for free slots only, and runs them.

    What finds no slot within the hold time is sent back, and the lanes are left until a slot comes free: so
    parcels stay whole where jobs are quick and fall apart where they are slow. While the store is away
    nothing is received. A job that was running when its worker was lost is a suspect: it may have been the
    cause, so few of them begin here within a second, and none beside the last attempt of another. A job
    whose handler needs a thread or a process begins only where one is free, and others pass it by. So it is
    with one whose providers are shut: it is not claimed, and waits for them here or goes round in its lane.

    Args:
        lanes: what this worker serves.
        stopwatch: seconds from any fixed point, by which a handler that blocks the loop is found.
        concurrency: jobs that run at once, 1 or more.
    """

    def __init__(
        self,
        *,
        bus: MessageBus,
        lanes: Sequence[Lane],
        commits: Commits,
        receiver: Receiver,
        claimer: Claimer,
        runner: Runner,
        returner: Returner,
        admission: Admission,
        observer: Observer,
        stopwatch: Stopwatch,
        lease: LeasePolicy,
        concurrency: int,
    ) -> None:
        self._commits = commits
        self._claimer = claimer
        self._runner = runner
        self._returner = returner
        self._observer = observer
        self._free = self._concurrency = concurrency
        self._turns = Turns(lanes)
        self._work: set[asyncio.Task[None]] = set()
        self._holdings: dict[Run, Holding] = {}  # of what runs
        self._trials: dict[Run, asyncio.TimerHandle] = {}
        self._handlers = HandlerTasks(
            runs=runner,
            stopwatch=stopwatch,
            begins=self._begins,
            over=self._are_over,
            spawn=self._spawn,
            hurries=lambda: 2 * self._free < self._concurrency,
        )
        self._wake = asyncio.Event()
        self._admission = admission
        self._times = HoldTimes(admission=admission)
        self._is_stopping = False
        self._is_store_away = False
        self._intake = Intake(
            bus=bus,
            lanes=lanes,
            receiver=receiver,
            prefetch=math.ceil(concurrency / PARCEL_JOBS_MAX) + 1,
            ack_deadline=lease.ack_deadline,
            observer=observer,
            spawn=self._spawn,
            arrived=self._wake.set,
        )

    @property
    def is_receiving(self) -> bool:
        """The lanes are being read."""
        return self._intake.is_open

    @property
    def running(self) -> int:
        """Slots in use."""
        return self._concurrency - self._free

    async def run(self) -> None:
        """Receive and run until ``stop``."""
        try:
            while not self._is_stopping:
                if not self._is_store_away:
                    self._admission.look()
                    self._dispatch()
                    if self._free > 0:  # then nothing of what is here could start
                        self._intake.open()
                    self._intake.relieve(self._admission)  # also when full: the next slot may be its turn
                    await self._return_what_waits()
                await self._sleep()
        finally:
            await self._intake.end()

    async def stop(self, *, grace_s: float) -> None:
        """Receive no more, let what runs finish within the grace, hand the rest back.

        Returns when every handler has ended and its outcome is dealt with. One that ignores its cancellation
        is left behind after a further ten seconds; its lease lapses.
        """
        self._is_stopping = True
        self._wake.set()
        self._runner.hurry()
        await self._intake.end()
        for holding in self._intake.holdings():
            self._intake.remove(holding)
            self._spawn(self._return(holding))
        await self._work_is_done(grace_s)
        for run in self._runner.keeper.runs:
            run.stop(Interrupt.SHUTDOWN)
        await self._work_is_done(CANCEL_GRACE_S)

    async def _work_is_done(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while self._work:
                    await asyncio.wait(self._work)
        except TimeoutError:
            pass  # what is left is the caller's to judge

    async def _sleep(self) -> None:
        """Wait for something to do, or until what waits here has waited long enough."""
        stuck = () if self._is_store_away else filter(self._is_stuck, self._intake.holdings())
        looks_at_s = [self._times.looks_at_s(holding, slots=self._free) for holding in stuck]
        try:
            async with asyncio.timeout_at(min(looks_at_s, default=None)):
                await self._wake.wait()
        except TimeoutError:
            pass  # time to send back
        self._wake.clear()

    # ---- running

    def _dispatch(self) -> None:
        while self._free > 0 and (waiting := self._intake.waiting(self._admission)):
            for lane, count in self._turns.deal(self._free, waiting).items():
                # What a lane could not use, as its jobs wait for others or for a thread, is dealt once more.
                for holding, jobs in self._intake.take(lane, count, self._admission):
                    self._free -= len(jobs)
                    self._spawn(self._claim(holding, jobs))

    async def _claim(self, holding: Holding, jobs: list[Job]) -> None:
        try:
            claimed = await self._claimer.claim(jobs)
        except BaseException:
            self._free += len(jobs)  # a fault of ours costs no slot
            self._admission.ended(jobs)
            raise
        runs, undecided = claimed.runs, claimed.undecided
        if len(runs) < len(jobs):
            started = {run.job.id for run in runs}
            self._admission.ended([job for job in jobs if job.id not in started])
        self._free += len(jobs) - len(runs)
        holding.are_claimed(len(runs))
        holding.need_no_run(len(jobs) - len(runs) - len(undecided))
        if runs:
            self._holdings.update(dict.fromkeys(runs, holding))
            self._runner.keeper.watch(runs)
            self._handlers.work_off(runs)
        self._wake.set()
        if undecided:
            self._hold_on(holding, undecided)
            await self._store_is_back(undecided[0], claimed.reason)

    def _begins(self, run: Run) -> None:
        run.look_again()
        if self._is_stopping:
            run.stop(Interrupt.SHUTDOWN)
        if run.job.suspect:
            loop = asyncio.get_running_loop()
            self._trials[run] = loop.call_later(SUSPECT_TRIAL_S, self._pass_trial, run.job)

    def _are_over(self, runs: Sequence[Run]) -> None:
        """Their slots are free, whatever came of them."""
        settled: dict[Holding, int] = {}
        for run in runs:
            holding = self._holdings.pop(run)
            settled[holding] = settled.get(holding, 0) + 1
            if self._trials and (trial := self._trials.pop(run, None)) is not None:
                trial.cancel()
        for holding, count in settled.items():
            holding.are_settled(count)
        self._free += len(runs)
        self._admission.ended([run.job for run in runs])
        self._wake.set()

    def _pass_trial(self, job: Job) -> None:
        """It has killed nobody yet."""
        if self._admission.passed(job.id):
            self._wake.set()

    # ---- sending back

    def _is_stuck(self, holding: Holding) -> bool:
        """Nothing of it can start now: every slot is taken, or what is left waits for others or a thread."""
        return self._free <= 0 or not holding.waiting(self._admission)

    async def _return_what_waits(self) -> None:
        """Give others a chance with what is stuck for the hold time; without a slot, leave the lanes."""
        if self._free <= 0 and self._overdue():
            await self._intake.close()
        for holding in self._overdue():  # anew: while the lanes were left, some may have been put back
            later = self._times.away(holding, slots=self._free)
            least = self._times.least_parcel(holding, slots=self._free)
            self._intake.remove(holding)
            self._spawn(self._return(holding, later=later, least=least))

    def _overdue(self) -> list[Holding]:
        now = asyncio.get_running_loop().time()
        waiting = filter(self._is_stuck, self._intake.holdings())
        return [one for one in waiting if self._times.returns_at_s(one, slots=self._free) <= now]

    async def _return(self, holding: Holding, *, later: timedelta | None = None, least: int = 1) -> None:
        jobs = holding.take_all()
        if await self._returner.send_back(jobs, received=holding.size, least=least, later=later):
            holding.need_no_run(len(jobs))
            return
        self._hold_on(holding, jobs)

    def _hold_on(self, holding: Holding, jobs: Sequence[Job]) -> None:
        """Nobody else looks after these jobs. At the end the broker gives their parcel to somebody else."""
        holding.put_back(jobs)
        holding.received_s = asyncio.get_running_loop().time()
        if not self._is_stopping:
            self._intake.restore(holding)
        elif holding.is_untouched:
            holding.release()

    # ---- the store

    async def _store_is_back(self, job: Job, reason: str) -> None:
        """Let go of everything untouched and receive nothing until the store answers again."""
        if self._is_store_away or self._is_stopping:
            return
        self._is_store_away = True
        self._observer.noted("store is away, receiving paused", reason=reason)
        await self._intake.close()
        self._intake.release_untouched()
        while not self._is_stopping:
            try:
                await self._commits.look([job.id])
            except Unavailable:
                await asyncio.sleep(_STORE_PROBE_S)
            else:
                break
        self._is_store_away = False
        self._observer.noted("store is back, receiving again")
        self._wake.set()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._observer.noted("work ended by a fault of ours", reason=repr(error))
