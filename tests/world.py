"""A small world for the services: several processes on one store and one broker, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import define, field

from jobmill.adapters.memory import LoopClock, MemoryBroker, SeededEntropy
from jobmill.adapters.memory.tables import Tables
from jobmill.application.commands import SubmitJob
from jobmill.application.fair_queues import NONE_FAIR, FairQueues
from jobmill.application.handlers import JobContext, JobHandlers, Registry
from jobmill.application.ports.clock import Clock
from jobmill.application.submitter import Accepted
from jobmill.domain.job import Job
from jobmill.domain.options import JobOptions
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import JobState

from tests.builders import a_job_that_is
from tests.nodes import NODE, Node, follow_tasks

QUICK: Final = RetryPolicy(max_attempts=3, base=timedelta(seconds=1), jitter=0.0)
#: Enough for a lapsed lease, a whole lease of a new leader's patience, and the retries after it.
A_GOOD_WHILE_S: Final = 300.0

Work = Callable[[Mapping[str, Any], JobContext], Awaitable[object]]


@define(kw_only=True)
class JumpyClock(Clock):
    """The store's clock: the loop's, and whatever a test adds."""

    offset: timedelta = timedelta(0)
    _loop: LoopClock = field(factory=LoopClock)

    def now(self) -> datetime:
        return self._loop.now() + self.offset


@define(eq=False)
class Ran:
    """One run of the handler, as it was."""

    job_id: UUID
    node: Node | None
    attempt: int
    version: int
    key: str
    started_s: float
    context: JobContext
    ended_s: float | None = None
    returned: bool = False

    @property
    def is_believed(self) -> bool:
        """The handler runs, in a process that lives and has not told it to stop."""
        return (
            self.ended_s is None and not self.context.cancelled and (self.node is None or self.node.is_alive)
        )


async def _do_nothing(_payload: Mapping[str, Any], _context: JobContext) -> object:
    return None


@define(eq=False, kw_only=True, slots=False)
class World:
    """What the processes share, and what has happened. To be made inside of a running loop."""

    work: Work = _do_nothing
    seed: int = 1
    retry: RetryPolicy = QUICK
    timeout: timedelta = timedelta(seconds=60)
    nodes: list[Node] = field(factory=list)
    tables: Tables = field(factory=Tables)
    node_type: type[Node] = Node
    broker_type: type[MemoryBroker] = MemoryBroker
    fair: FairQueues = NONE_FAIR
    clock: JumpyClock = field(factory=JumpyClock)
    runs: list[Ran] = field(factory=list)
    overlaps: list[UUID] = field(factory=list)  # jobs that two processes ran at once in good faith
    strangers: list[UUID] = field(factory=list)  # jobs whose handler began without the job being held

    def __attrs_post_init__(self) -> None:
        """Declare the one type, `work`, in two queues."""
        self.entropy = SeededEntropy(self.seed)
        follow_tasks(asyncio.get_running_loop())
        handlers = JobHandlers()
        for name, queue in (("work", "default"), ("other", "other")):
            handlers.register(name, queue=queue, retry=self.retry, timeout=self.timeout)(self._handle)
        self.registry = Registry([handlers])
        self.broker = self.broker_type(queues=self.registry.queues, fair=self.fair)
        self.client = self.node(concurrency=None)

    def node(
        self,
        *,
        concurrency: int | None = 10,
        starts: bool = True,
        registry: Registry | None = None,
        **wishes: Any,
    ) -> Node:
        """A new process that works off jobs; with a registry of its own it has other code than the rest."""
        made = self.node_type(
            name=f"node-{len(self.nodes)}",
            tables=self.tables,
            broker=self.broker,
            registry=registry or self.registry,
            clock=self.clock,
            entropy=self.entropy,
            concurrency=concurrency,
            **wishes,
        )
        self.nodes.append(made)
        if starts:
            made.start()
        return made

    async def submit(self, *, count: int = 1, payload: object = None, **wishes: Any) -> Job:
        """Accept jobs as one unit; return the first."""
        name: str = wishes.pop("type", "work")
        command = SubmitJob(type=name, payload=payload or {}, options=JobOptions(**wishes))
        accepted: list[Accepted] = list(await self.client.submitter.submit([command] * count))
        return accepted[0].job

    def has(self, state: JobState = JobState.QUEUED, **facts: Any) -> Job:
        """A job that stands in the store in ``state``, with no notice anywhere."""
        job = a_job_that_is(state, now=self.clock.now(), **({"type": "work"} | facts))
        self.tables.jobs[job.id] = job
        return job

    def job(self, job: Job | UUID) -> Job:
        """The row of a job as it stands."""
        return self.tables.jobs[job if isinstance(job, UUID) else job.id]

    def states(self) -> list[JobState]:
        """Where the jobs stand, in the order of their making."""
        return [self.tables.jobs[each].state for each in sorted(self.tables.jobs)]

    def runs_of(self, job: Job) -> list[Ran]:
        """The handler's runs for a job."""
        return [ran for ran in self.runs if ran.job_id == job.id]

    @property
    def ready(self) -> int:
        """Messages in all lanes together."""
        return sum(len(line.ready) for line in self.broker._lines.values())

    @property
    def unanswered(self) -> int:
        """Messages that somebody holds."""
        return len(self.broker.held)

    async def passes(self, seconds: float = A_GOOD_WHILE_S) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def until(self, condition: Callable[[], object], *, within_s: float = A_GOOD_WHILE_S) -> None:
        """Let time pass until something is so, looked at ten times a second."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - in virtual time this costs nothing
                await asyncio.sleep(0.1)

    async def turns(self, count: int = 50) -> None:
        """Let everything go on that needs no time."""
        for _ in range(count):
            await asyncio.sleep(0)

    def broker_loses_everything(self) -> None:
        """As a broker does that comes back empty: connections break, and then nothing is there."""
        for node in self.nodes:
            node.bus.disconnect()
        self.broker.lose_everything()
        for node in self.nodes:
            if node.is_alive:
                node.bus.reconnect()

    async def _handle(self, payload: dict[str, Any], context: JobContext) -> object:
        loop = asyncio.get_running_loop()
        if any(ran.job_id == context.job_id and ran.is_believed for ran in self.runs[-200:]):
            self.overlaps.append(context.job_id)
        row = self.tables.jobs[context.job_id]
        if row.state is not JobState.PROCESSING or row.attempt != context.attempt:
            self.strangers.append(context.job_id)
        ran = Ran(
            job_id=context.job_id,
            node=NODE.get(),
            attempt=context.attempt,
            version=row.version,
            key=context.idempotency_key,
            started_s=loop.time(),
            context=context,
        )
        self.runs.append(ran)
        try:
            value = await self.work(payload, context)
            ran.returned = True
            return value
        finally:
            ran.ended_s = loop.time()
