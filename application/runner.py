"""Running one attempt and settling what came of it."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from attrs import frozen

from jobmill.application.commits import Commits
from jobmill.application.errors import Unavailable
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
from jobmill.application.verdicts import not_begun
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import WAITING
from jobmill.domain.transition import Transition

#: How long an outcome is offered to a store that is away.
SETTLE_WITHIN_S: Final = 60.0


@frozen(kw_only=True)
class Runner:
    """Executes claimed jobs and settles them."""

    commits: Commits
    registry: Registry
    keeper: LeaseKeeper
    performer: Performer
    transactions: Transactions
    clock: Clock
    entropy: Entropy
    observer: Observer

    async def run(self, run: Run) -> None:
        """Run the handler of a claimed job and save what came of it.

        Returns when the outcome is committed, refused as stale, or cannot be brought to the store any more;
        then the lease lapses and the job is taken up again.
        """
        self.keeper.watch(run)
        transaction: HandlerTransaction | None = None

        def transact() -> AbstractAsyncContextManager[Any]:
            nonlocal transaction
            transaction = transaction or self._transaction(run)
            return transaction.open()

        try:
            if run.interrupt is None:
                told = await self.performer.perform(run, transact)
                outcome = told if transaction is None else self._after(transaction, run, told)
            else:
                outcome = not_begun(run.interrupt)
            if outcome is not None:
                await self._settle(run, outcome)
        finally:
            self.keeper.forget(run)

    def _transaction(self, run: Run) -> HandlerTransaction:
        return HandlerTransaction(
            run=run,
            transactions=self.transactions,
            keeper=self.keeper,
            clock=self.clock,
            entropy=self.entropy,
            observer=self.observer,
        )

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

    async def _settle(self, run: Run, outcome: Outcome) -> None:
        move = self._move(run.job, outcome)
        if move is None:
            self.observer.noted("outcome dropped with the lease", job_id=run.job.id, attempt=run.job.attempt)
            return
        try:
            [answer] = await self.commits.save([move], within_s=SETTLE_WITHIN_S)
        except Unavailable as error:
            self.observer.noted("outcome not saved", job_id=run.job.id, reason=str(error))
            return
        match answer:
            case Saved(job=job) if job.state in WAITING and job.stop_asked:
                await self._cancel(job)  # asked while the outcome was on its way
            case Stale():
                self.observer.noted("outcome refused", job_id=run.job.id, attempt=run.job.attempt)
            case Unknown():
                self.observer.noted("outcome not known to be saved", job_id=run.job.id)
            case _:
                pass

    async def _cancel(self, job: Job) -> None:
        try:
            await self.commits.save([job.cancel(now=self.clock.now(), stamp=self.entropy.stamp())])
        except Unavailable:
            pass  # the scheduler finds it

    def _move(self, job: Job, outcome: Outcome) -> Transition | None:
        now, stamp = self.clock.now(), self.entropy.stamp()
        if isinstance(outcome, Succeeded):
            return job.succeed(result=outcome.result, now=now, stamp=stamp)
        fraction, policy = self.entropy.fraction(), self.registry.policy_of(job.type)
        match outcome:
            case Failure():
                return job.fail(outcome, policy=policy, now=now, stamp=stamp, fraction=fraction)
            case Postponed(wait=None, reason=reason):
                return job.hand_back(reason, policy=policy, now=now, stamp=stamp, fraction=fraction)
            case Postponed(wait=wait, reason=reason, is_misplaced=misplaced) if wait is not None:
                return job.postpone(
                    wait,
                    reason,
                    policy=policy,
                    now=now,
                    stamp=stamp,
                    fraction=fraction,
                    is_misplaced=misplaced,
                )
            case Stopped():
                return job.stop(now=now, stamp=stamp)
            case _:
                return None
