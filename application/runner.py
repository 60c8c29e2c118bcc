"""Running one attempt: the handler under its deadline, then the outcome."""

import asyncio
import logging
import traceback
from typing import Final, TypeVar

from attrs import frozen

from jobmill.application.codec.payload_schema import UnencodableResult, write_result
from jobmill.application.commits import Commits
from jobmill.application.errors import InvalidPayload, Unavailable
from jobmill.application.handler_transaction import Ending, HandlerTransaction
from jobmill.application.handlers import (
    JobContext,
    JobType,
    PermanentFailure,
    Registry,
    RetryAfter,
    TransientFailure,
)
from jobmill.application.lease_keeper import LeaseKeeper
from jobmill.application.misfits import misfit_after_claim
from jobmill.application.outcomes import Dropped, Outcome, Postponed, Stopped, Succeeded
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.job_repository import Saved, Stale, Unknown
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.transactions import Transactions
from jobmill.application.run import Interrupt, Run
from jobmill.application.type_keeper import TypeKeeper
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import WAITING
from jobmill.domain.transition import Transition

P = TypeVar("P")

RESULT_BYTES_MAX: Final = 10 * 1024
#: How long an outcome is offered to a store that is away.
SETTLE_WITHIN_S: Final = 60.0
_STACK_FRAMES_MAX: Final = 50

_log = logging.getLogger("jobmill.handler")


@frozen(kw_only=True)
class Runner:
    """Executes claimed jobs and settles them.

    Args:
        types: asked who else could read a payload that the code here cannot; None where there are no others.
    """

    commits: Commits
    registry: Registry
    keeper: LeaseKeeper
    transactions: Transactions
    clock: Clock
    entropy: Entropy
    observer: Observer
    types: TypeKeeper | None = None

    async def run(self, run: Run) -> None:
        """Run the handler of a claimed job and save what came of it.

        Returns when the outcome is committed, refused as stale, or cannot be brought to the store any more;
        then the lease lapses and the job is taken up again.
        """
        self.keeper.watch(run)
        try:
            if run.interrupt is None:
                transaction = self._transaction(run)
                outcome = self._after(transaction, run, await self._execute(run, transaction))
            else:
                outcome = _not_begun(run.interrupt)
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

    async def _execute(self, run: Run, transaction: HandlerTransaction) -> Outcome:
        job = run.job
        declared = self.registry.named(job.type)
        try:
            payload = declared.decode(job.payload, version=job.payload_version)
        except InvalidPayload as error:
            return await self._unread(job, error)
        return await self._call(run, transaction, declared, payload)

    async def _call(
        self, run: Run, transaction: HandlerTransaction, declared: JobType[P], payload: P
    ) -> Outcome:
        job = run.job
        loop = asyncio.get_running_loop()
        timer = loop.call_later(job.timeout.total_seconds(), run.stop, Interrupt.TIMEOUT)
        try:
            run.begin()
            value = await declared.call(payload, self._context(run, transaction))
            run.end()
            await _absorb_cancellation()
            return Succeeded(result=write_result(value, limit_bytes=RESULT_BYTES_MAX))
        except asyncio.CancelledError:
            if not run.end() and (task := asyncio.current_task()) is not None and task.cancelling():
                raise  # the process is being torn down, this run with it
            return _interrupted(run)
        except (InvalidPayload, UnencodableResult) as error:
            return _failure(FailureKind.PERMANENT, error)
        except PermanentFailure as error:
            return _failure(FailureKind.PERMANENT, error)
        except RetryAfter as error:
            if not error.counts:
                return Postponed(wait=error.when, reason=error.reason)
            return Failure(kind=FailureKind.RETRY_AFTER, message=error.reason, retry_after=error.when)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever else the user's code raises is an outcome
            if run.interrupt not in (None, Interrupt.STOP_ASKED):
                return _interrupted(run)  # it failed on its way out
            return _failure(FailureKind.TRANSIENT, error)
        finally:
            timer.cancel()
            run.end()

    async def _unread(self, job: Job, error: InvalidPayload) -> Outcome:
        """The handler cannot begin. Where a living worker's code reads the payload, leave the job to that."""
        misfit = await misfit_after_claim(job, str(error), self.registry, self.types)
        if misfit is None:
            return _failure(FailureKind.PERMANENT, error)
        return Postponed(wait=misfit.wait, reason=misfit.reason, is_misplaced=not misfit.is_bounded)

    def _context(self, run: Run, transaction: HandlerTransaction) -> JobContext:
        job = run.job
        fields = {"job_id": str(job.id), "type": job.type, "attempt": job.attempt}
        return JobContext(
            job_id=job.id,
            type=job.type,
            attempt=job.attempt,
            max_attempts=job.max_attempts,
            idempotency_key=job.handler_key,
            correlation_id=job.correlation_id,
            deadline=self.clock.now() + job.timeout,
            log=logging.LoggerAdapter(_log, fields),
            is_cancelled=lambda: run.interrupt is not None,
            transact=transaction.open,
        )

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
        now, stamp, fraction = self.clock.now(), self.entropy.stamp(), self.entropy.fraction()
        policy = self.registry.policy_of(job.type)
        match outcome:
            case Succeeded(result=result):
                return job.succeed(result=result, now=now, stamp=stamp)
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


async def _absorb_cancellation() -> None:
    """A handler that cancels its own task and then returns leaves this to whatever is awaited next."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            pass  # the handler has ended and its outcome is known


def _not_begun(reason: Interrupt) -> Outcome:
    """Give the attempt back; where the lease is over as well, the store refuses that."""
    return Postponed(wait=None, reason=f"claimed and not begun: {reason.value}")


def _interrupted(run: Run) -> Outcome:
    match run.interrupt:
        case Interrupt.TIMEOUT:
            limit = f"took longer than its timeout of {run.job.timeout.total_seconds():g} s"
            return Failure(kind=FailureKind.TIMEOUT, message=limit)
        case Interrupt.STOP_ASKED:
            return Stopped()
        case Interrupt.SHUTDOWN:
            return Postponed(wait=None, reason="the worker shut down")
        case Interrupt.PRESENCE_LOST:
            return Postponed(wait=None, reason="the worker lost the lock that shows it alive")
        case Interrupt.LEASE_LOST:
            return Dropped()
        case None:
            return Failure(kind=FailureKind.TRANSIENT, message="the handler cancelled itself")


def _failure(kind: FailureKind, error: BaseException) -> Failure:
    lines = traceback.format_exception(error, limit=-_STACK_FRAMES_MAX)  # the innermost
    text = _text_of(error)
    message = text or type(error).__name__
    if kind is FailureKind.TRANSIENT and text and not isinstance(error, TransientFailure):
        message = f"{type(error).__name__}: {text}"
    return Failure(kind=kind, message=message, stack="".join(lines))


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error whose own text cannot be told is an outcome like any other
        return ""
