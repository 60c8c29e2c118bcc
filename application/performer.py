"""Running the function of a claimed job, under its deadline, where its kind belongs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import copy_context
from functools import partial
from typing import Any, Final

from attrs import define, field, frozen

from jobmill.application.batch_calls import BatchCalls
from jobmill.application.codec.payload_schema import write_result
from jobmill.application.errors import InvalidPayload, TransactionFault
from jobmill.application.handlers import BatchJob, HandlerKind, JobContext, JobType, Registry
from jobmill.application.handlers.batch_job import Tell
from jobmill.application.handlers.log_fields import JobLog
from jobmill.application.lease_keeper import CANCEL_GRACE_S
from jobmill.application.misfits import misfit_after_claim
from jobmill.application.outcomes import Dropped, Outcome, Postponed, Stopped, Succeeded
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.executors import Errand, Processes, Threads
from jobmill.application.ports.observer import Observer
from jobmill.application.progress_writer import ProgressWriter
from jobmill.application.run import Interrupt, Run
from jobmill.application.type_keeper import TypeKeeper
from jobmill.application.verdicts import RESULT_BYTES_MAX, interrupted, verdict_on
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import Job

#: Opens the transaction of a run; see ``JobContext.transaction``.
Transact = Callable[[Run], AbstractAsyncContextManager[Any]]

_OUTCOMES: Final = (Succeeded, Failure, Postponed, Stopped, Dropped)

_log = logging.getLogger("jobmill.handler")


@define(eq=False)
class _Call:
    """One call in a thread, and how it ended."""

    work: Callable[[], object]
    value: object = None
    error: BaseException | None = field(default=None)

    def __call__(self) -> None:
        try:
            self.value = self.work()
        except BaseException as error:  # noqa: BLE001 - it is the handler's, and for its attempt to tell
            self.error = error


@frozen(kw_only=True)
class Performer:
    """Runs handlers: on the loop, in a thread, or in a process.

    Args:
        types: asked who else could read a payload that the code here cannot; None where there are no others.
    """

    registry: Registry
    threads: Threads
    processes: Processes
    progress: ProgressWriter
    clock: Clock
    observer: Observer
    types: TypeKeeper | None = None
    batch_calls: BatchCalls = field(init=False)

    @batch_calls.default
    def _of_its_own(self) -> BatchCalls:
        return BatchCalls(observer=self.observer)

    async def perform(self, run: Run, transact: Transact) -> Outcome:
        """Run the handler of a claimed job to its end and return what came of it.

        Raises:
            asyncio.CancelledError: the process is being torn down, this run with it.
        """
        job = run.job
        declared = self.registry.named(job.type)
        value: object
        try:
            try:
                payload = self._read(declared, job)
            except InvalidPayload as error:
                value = await self._unread(job, error)
            else:
                value = await self._begun(declared, payload, run, transact)
            run.end()
            if isinstance(value, _OUTCOMES):
                return _as_interrupted(run, value)
            return Succeeded(result=write_result(value, limit_bytes=RESULT_BYTES_MAX))
        except asyncio.CancelledError:
            # Asked of the task itself, as it may come before the handler has begun and the run knows of it.
            if not run.end() and (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return interrupted(run)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever else the user's code raises is an outcome
            return _as_interrupted(run, verdict_on(error))
        finally:
            if not run.is_settling:
                run.end()
            self.progress.forget(run)

    def _read(self, declared: JobType[Any], job: Job) -> object:
        """Return the payload as the function takes it, or for another process the text of the newest version.

        Raises:
            InvalidPayload: this code cannot read it.
        """
        if declared.kind is not HandlerKind.PROCESS:
            return declared.decode(job.payload, version=job.payload_version)
        # What goes to another process is read here as well, to be left to other code if need be.
        text = declared.newest_text(job.payload, version=job.payload_version)
        declared.decode(text, version=declared.rules.payload_version)
        return text

    def _begun(
        self, declared: JobType[Any], payload: object, run: Run, transact: Transact
    ) -> Awaitable[object]:
        """Return what becomes what the handler returned, or an outcome where that is told in another way."""
        if declared.gathering is not None:
            run.gathers()
            job_of = partial(self._batch_job, run, payload)
            return self.batch_calls.join(run, declared, declared.gathering, job_of)
        run.begin()
        if declared.kind is HandlerKind.PROCESS:
            report = partial(self.progress.report, run)
            return self.processes.run(self._errand(declared, run, str(payload)), report=report)
        if declared.kind is HandlerKind.THREAD:
            mend = f"declare the handler of {run.job.type!r} as 'async def'"
            refuse = partial(_refuse_transaction, f"lives on the event loop: {mend}")
            context = self._context(run, refuse) if declared.takes_context else None
            return self._in_thread(partial(declared.call, payload, context), run)
        told: Awaitable[object]
        if declared.takes_context:
            told = declared.function(payload, self._context(run, partial(transact, run)))
        else:
            told = declared.function(payload)
        return told

    async def _unread(self, job: Job, error: InvalidPayload) -> Outcome:
        """The handler cannot begin. Where a living worker's code reads the payload, leave the job to that."""
        misfit = await misfit_after_claim(job, str(error), self.registry, self.types)
        if misfit is None:
            return verdict_on(error)
        return Postponed(wait=misfit.wait, reason=misfit.reason, is_excused=not misfit.is_bounded)

    async def _in_thread(self, work: Callable[[], object], run: Run) -> object:
        call = _Call(work)
        await self._ended(self.threads.start(partial(copy_context().run, call)), run)
        # Not raised here: an error that would end a loop or a task means nothing of the kind in a thread.
        return call.value if call.error is None else verdict_on(call.error)

    async def _ended(self, call: "asyncio.Future[None]", run: Run) -> None:
        """Wait until a thread is through: nobody can end it, so an interrupt only lets the handler know."""
        try:
            await asyncio.shield(call)
            return
        except asyncio.CancelledError:
            if run.interrupt is None:
                raise
        await asyncio.wait({call}, timeout=CANCEL_GRACE_S)
        if not call.done():
            reason = "nobody can end a thread: let the handler look at job.cancelled, or declare process=True"
            self.observer.noted(
                "thread goes on and keeps its place", job_id=run.job.id, type=run.job.type, reason=reason
            )
            await asyncio.wait({call})

    def _batch_job(self, run: Run, payload: object, tell: Tell) -> BatchJob[Any]:
        mend = f"declare the handler of {run.job.type!r} by 'register'"
        refuse = partial(_refuse_transaction, f"is one job's, and this handler has many: {mend}")
        return BatchJob(payload=payload, tell=tell, **self._told(run, refuse))

    def _context(self, run: Run, transact: Callable[[], AbstractAsyncContextManager[Any]]) -> JobContext:
        """Return what a handler that asks for it is told."""
        return JobContext(**self._told(run, transact))

    def _told(self, run: Run, transact: Callable[[], AbstractAsyncContextManager[Any]]) -> dict[str, Any]:
        job = run.job
        fields = {"job_id": str(job.id), "type": job.type, "attempt": job.attempt}
        return {
            "job_id": job.id,
            "type": job.type,
            "attempt": job.attempt,
            "max_attempts": job.max_attempts,
            "idempotency_key": job.handler_key,
            "correlation_id": job.correlation_id,
            "deadline": self.clock.now() + job.timeout,
            "log": JobLog(_log, fields, partial(self.registry.told_of, job)),
            "is_cancelled": lambda: run.interrupt is not None,
            "transact": transact,
            "report": partial(self.progress.report, run),
            "inherited": job.inherited,
        }

    def _errand(self, declared: JobType[Any], run: Run, payload: str) -> Errand:
        job = run.job
        return Errand(
            module=declared.function.__module__,
            function=declared.function.__qualname__,
            payload=payload,
            job_id=job.id,
            type=job.type,
            attempt=job.attempt,
            max_attempts=job.max_attempts,
            idempotency_key=job.handler_key,
            correlation_id=job.correlation_id,
            deadline=self.clock.now() + job.timeout,
            inherited=job.inherited,
            told=self.registry.told_of(job),
        )


def _as_interrupted(run: Run, outcome: Outcome) -> Outcome:
    """Take a failure that nobody asked for, after an interrupt, for the way out that it is."""
    failed = isinstance(outcome, Failure) and outcome.kind is FailureKind.TRANSIENT
    return interrupted(run) if failed and run.interrupt not in (None, Interrupt.STOP_ASKED) else outcome


def _refuse_transaction(reason: str) -> AbstractAsyncContextManager[Any]:
    raise TransactionFault(f"job.transaction() {reason}")
