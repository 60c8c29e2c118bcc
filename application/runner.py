"""Running attempts and settling what came of them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from jobmill.application.commits import Commits
from jobmill.application.errors import Unavailable
from jobmill.application.handler_tasks import Ended, Runs
from jobmill.application.handler_transaction import Ending, HandlerTransaction
from jobmill.application.handlers import Registry
from jobmill.application.lease_keeper import LeaseKeeper
from jobmill.application.outcomes import Dropped, Outcome, Postponed, Stopped, Succeeded
from jobmill.application.performer import Performer
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.job_repository import Saved, Stale, Unknown
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.transactions import Transactions
from jobmill.application.run import Run
from jobmill.application.step_watch import BLOCKED
from jobmill.application.verdicts import not_begun
from jobmill.domain.errors import IllegalTransition
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import WAITING
from jobmill.domain.transition import Transition

#: How long an outcome is offered to a store that is away.
SETTLE_WITHIN_S: Final = 60.0


@frozen(kw_only=True)
class Runner(Runs):
    """Executes claimed jobs and settles them."""

    commits: Commits
    registry: Registry
    keeper: LeaseKeeper
    performer: Performer
    transactions: Transactions
    clock: Clock
    entropy: Entropy
    observer: Observer
    _opened: dict[Run, HandlerTransaction] = field(factory=dict, init=False)

    async def attempt(self, run: Run) -> Outcome | None:
        """Run the handler of a claimed job and return what came of it; None where nothing is left to save.

        Raises:
            asyncio.CancelledError: the process is being torn down, this run with it.
        """
        if run.interrupt is not None:
            return not_begun(run.interrupt)
        try:
            told = await self.performer.perform(run, self._transact)
        finally:
            transaction = self._opened.pop(run, None)
        return told if transaction is None else self._after(transaction, run, told)

    def blocked(self, run: Run, took_s: float) -> None:
        """Say that a handler held up the event loop."""
        self.observer.noted(
            BLOCKED,
            type=run.job.type,
            job_id=run.job.id,
            seconds=round(took_s, 3),
            reason="everything else waited: use def, or await asyncio.to_thread",
        )

    def hurry(self) -> None:
        """Let no job wait for others any more, with which its handler would be called."""
        self.performer.batch_calls.hurry()

    async def settle(self, ended: Sequence[Ended]) -> None:
        """Save what came of runs whose handlers have ended, and keep their leases no longer.

        Returns when every outcome is committed, refused as stale, or cannot be brought to the store any more;
        then its lease lapses and the job is taken up again. One that is refused costs only itself.
        """
        try:
            now = self.clock.now()
            decided = [self._move(run.job, outcome, now) for run, outcome in ended]
            moves = [move for move in decided if move is not None]
            if moves:
                await self._save(moves)
        finally:
            self.keeper.forget(run for run, _ in ended)

    def _transact(self, run: Run) -> AbstractAsyncContextManager[Any]:
        transaction = self._opened.get(run)
        if transaction is None:
            transaction = self._opened[run] = HandlerTransaction(
                run=run,
                transactions=self.transactions,
                keeper=self.keeper,
                clock=self.clock,
                entropy=self.entropy,
                observer=self.observer,
            )
        return transaction.open()

    def _after(self, transaction: HandlerTransaction, run: Run, outcome: Outcome) -> Outcome | None:
        """Return what is left to save of an attempt that tried to commit by itself; None for nothing."""
        match transaction.ending:
            case None:
                return outcome
            case Ending.ROLLED_BACK if isinstance(outcome, Succeeded):  # it swallowed the error
                return Failure(kind=FailureKind.TRANSIENT, message=transaction.reason)
            case Ending.ROLLED_BACK:
                return outcome
            case Ending.LOST:
                return Dropped()
            case Ending.IN_DOUBT:
                self.observer.noted("outcome not known to be saved", job_id=run.job.id)
                return None
            case _ if isinstance(outcome, Failure):
                self.observer.noted("failed after its commit", job_id=run.job.id, error=outcome.message)
                return None
            case _:
                if isinstance(outcome, Succeeded) and outcome.result is not None:
                    self.observer.noted("result after the commit dropped", job_id=run.job.id)
                return None

    async def _save(self, moves: Sequence[Transition]) -> None:
        try:
            answers = await self.commits.save(moves, within_s=SETTLE_WITHIN_S)
        except Unavailable as error:
            for move in moves:
                self.observer.noted("outcome not saved", job_id=move.job.id, reason=str(error))
            return
        asked: list[Job] = []
        for move, answer in zip(moves, answers, strict=True):
            match answer:
                case Saved(job=job):
                    if job.state in WAITING and job.stop_asked:
                        asked.append(job)  # while the outcome was on its way
                case Stale(job_id=job_id):
                    self.observer.noted("outcome refused", job_id=job_id, attempt=move.before.attempt)
                case Unknown(job_id=job_id):
                    self.observer.noted("outcome not known to be saved", job_id=job_id)
        if asked:
            await self._cancel(asked)

    async def _cancel(self, asked: Sequence[Job]) -> None:
        try:
            await self.commits.save(
                [job.cancel(now=self.clock.now(), stamp=self.entropy.stamp()) for job in asked]
            )
        except Unavailable:
            pass  # the scheduler finds them

    def _move(self, job: Job, outcome: Outcome | None, now: datetime) -> Transition | None:
        stamp = self.entropy.stamp()
        if isinstance(outcome, Succeeded):
            return job.succeed(result=outcome.result, now=now, stamp=stamp)
        try:
            return self._other_move(job, outcome, now, stamp)
        except IllegalTransition as error:  # a fault of ours, and its neighbours' outcomes are none of it
            self.observer.noted("outcome not possible", job_id=job.id, reason=str(error))
            return None

    def _other_move(self, job: Job, outcome: Outcome | None, now: datetime, stamp: int) -> Transition | None:
        fraction, policy = self.entropy.fraction(), self.registry.policy_of(job.type)
        match outcome:
            case Failure():
                return job.fail(outcome, policy=policy, now=now, stamp=stamp, fraction=fraction)
            case Postponed(wait=None, reason=reason):
                return job.hand_back(reason, policy=policy, now=now, stamp=stamp, fraction=fraction)
            case Postponed(wait=wait, reason=reason, is_excused=excused) if wait is not None:
                return job.postpone(
                    wait,
                    reason,
                    policy=policy,
                    now=now,
                    stamp=stamp,
                    fraction=fraction,
                    is_excused=excused,
                )
            case Stopped():
                return job.stop(now=now, stamp=stamp)
            case Dropped():
                self.observer.noted("outcome dropped with the lease", job_id=job.id, attempt=job.attempt)
                return None
            case _:
                return None
