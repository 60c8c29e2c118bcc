"""A worker process that dies where the test says, as by SIGKILL."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from attrs import define, field, frozen

from jobmill.application.commits import WITHIN_S, Commits
from jobmill.application.handler_tasks import Ended
from jobmill.application.outcomes import Outcome
from jobmill.application.ports.job_repository import SaveAnswer, Saved
from jobmill.application.ports.transactions import OpenTransaction, Transactions
from jobmill.application.run import Run
from jobmill.application.runner import Runner
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import Transition
from jobmill.testing.crash_plan import CrashPlan, CrashPoint
from jobmill.testing.mortal import Mortal
from jobmill.testing.node import Node, Work
from jobmill.testing.timeline import Timeline


@define(eq=False, kw_only=True, slots=False)
class Worker(Node):
    """A process under the hand of the test.

    Args:
        plan: where it shall die.
        died: called once with the worker when it has.
        saved: jobs whose outcome is in the store; filled by the worker.
    """

    plan: CrashPlan
    timeline: Timeline
    died: "Callable[[Worker], None]"
    saved: set[UUID] = field(factory=set, init=False)
    _may_unwind: bool = field(default=False, init=False)

    def make_runner(self, **wiring: Any) -> Runner:
        """See ``Node``."""
        wiring["commits"] = _WatchedCommits(wiring["commits"], self)
        wiring["transactions"] = _WatchedTransactions(real=wiring["transactions"], worker=self)
        return _WatchedRunner(worker=self, **wiring)

    def embody(self, work: Work) -> Work:
        """Let the process's death stop the task where it is."""
        return Mortal(work, lambda: self.is_alive, lambda: self._may_unwind)

    async def reach(self, point: CrashPoint, job: Job) -> None:
        """Come to a point of a job; where death is planned for here, never return."""
        crash = self.plan.fires(point, job)
        if crash is not None:
            self.timeline.note(self.name, f"dies by {crash}", job_id=job.id)
            self.kill()
            self.died(self)
            await asyncio.get_running_loop().create_future()

    def kill(self) -> None:
        """End the process where it is: no task takes another step, and connections break."""
        self.is_alive = False
        self.cable.is_dead = True
        self.store.presence.sever()
        self.bus.disconnect()

    def unwind(self) -> None:
        """Let what stands still since the death be cancelled, at the end of the test."""
        self._may_unwind = True
        super().kill()


@frozen(kw_only=True)
class _WatchedRunner(Runner):
    """Tells its worker when a run is about to begin, and when its outcome is saved."""

    worker: Worker

    async def attempt(self, run: Run) -> Outcome | None:
        """See ``Runner``."""
        await self.worker.reach("claim", run.job)
        self.worker.saved.discard(run.job.id)
        return await super().attempt(run)

    async def settle(self, ended: Sequence[Ended]) -> None:
        """See ``Runner``."""
        await super().settle(ended)
        for run, _ in ended:
            if run.job.id in self.worker.saved:
                await self.worker.reach("commit", run.job)


class _WatchedCommits(Commits):
    """Tells the worker before an outcome is saved."""

    def __init__(self, real: Commits, worker: Worker) -> None:
        self._real = real
        self._worker = worker

    async def save(
        self, transitions: Sequence[Transition], *, within_s: float = WITHIN_S
    ) -> Sequence[SaveAnswer]:
        """See ``Commits``."""
        await _reach_effect(self._worker, transitions)
        answers = await self._real.save(transitions, within_s=within_s)
        self._worker.saved |= {answer.job.id for answer in answers if isinstance(answer, Saved)}
        return answers


@frozen(kw_only=True)
class _WatchedTransactions(Transactions):
    """Tells the worker before a handler's own transaction is committed with its outcome."""

    real: Transactions
    worker: Worker

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[OpenTransaction]:
        """See ``Transactions``."""
        async with self.real.begin() as opened:
            yield _WatchedTransaction(real=opened, worker=self.worker)

    async def settled(self, outcome: Transition) -> SaveAnswer:
        """See ``Transactions``."""
        return await self.real.settled(outcome)


@frozen(kw_only=True)
class _WatchedTransaction(OpenTransaction):
    real: OpenTransaction
    worker: Worker

    @property
    def connection(self) -> object:
        """See ``OpenTransaction``."""
        return self.real.connection

    async def commit(self, outcome: Transition) -> SaveAnswer:
        """See ``OpenTransaction``."""
        await _reach_effect(self.worker, [outcome])
        answer = await self.real.commit(outcome)
        if isinstance(answer, Saved):
            self.worker.saved.add(outcome.job.id)
        return answer


async def _reach_effect(worker: Worker, outcomes: Sequence[Transition]) -> None:
    for outcome in outcomes:
        if outcome.before.state is JobState.PROCESSING:
            await worker.reach("effect", outcome.before)
