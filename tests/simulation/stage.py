"""The world of one run: its processes, what was accepted, and the handler under watch."""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import define, field, frozen

from jobmill.application.fair_queues import FairQueues
from jobmill.application.handlers import JobContext
from jobmill.application.ports.clock import Clock
from jobmill.application.run import Run
from jobmill.domain.states import JobState
from jobmill.domain.transition import Fence

from tests.nodes import NODE
from tests.simulation.process import Process
from tests.simulation.scenario import Scenario
from tests.simulation.trace import Trace
from tests.simulation.watched_broker import COPIES_AT_REST, WatchedBroker
from tests.simulation.watched_tables import WatchedTables
from tests.simulation.witness import Witness
from tests.world import JumpyClock, Ran, World

#: A supervisor that starts worker after worker would hide a run that never ends.
PROCESSES_MAX: Final = 60
#: What a leader says that fills the broker again, as the first one of all does.
REFILL: Final = "said: broker without our marker, announcing all that waits"


@frozen(kw_only=True)
class SkewedClock(Clock):
    """What a process takes for the store's time: near it, or not."""

    clock: Clock
    skew: timedelta

    def now(self) -> datetime:
        return self.clock.now() + self.skew


@define(eq=False, kw_only=True, slots=False)
class Stage(World):
    """A world whose processes can be stopped at any step and whose tables and broker are watched."""

    scenario: Scenario
    trace: Trace = field(factory=Trace)
    accepted: dict[UUID, str] = field(factory=dict)  # and the key under which, if any
    keyed: dict[str, UUID] = field(factory=dict)
    effects: dict[UUID, int] = field(factory=dict)
    requests: "set[asyncio.Task[None]]" = field(factory=set)
    has_failed_over: bool = False
    rewound: set[UUID] = field(factory=set)  # jobs of which a failover lost commits
    is_peace: bool = False
    tenants: str = "agi"

    def __attrs_post_init__(self) -> None:
        """Watch everything from the first statement on."""
        self.witness = Witness(self.trace)
        self.clock = JumpyClock()
        self.watched = WatchedTables(witness=self.witness, now=self.clock.now)
        self.tables = self.watched
        self.node_type, self.broker_type = Process, WatchedBroker
        if self.scenario.shares > 1:
            self.fair = FairQueues(shares={"default": self.scenario.shares})
        super().__attrs_post_init__()
        assert isinstance(self.broker, WatchedBroker)
        self.line = self.broker
        self.line.judge_ack = self._judge_ack
        self.line.judge_copies = self._judge_copies
        self.watched.believed = self.believers
        self.watched.at_work = self._is_at_work
        self.watched.taken = self.line.taken.__getitem__
        for _ in range(self.scenario.workers):
            self.worker()

    # ---- processes

    def node(self, *, concurrency: int | None = 10, starts: bool = True, **wishes: Any) -> Process:
        made = super().node(concurrency=concurrency, starts=starts, trace=self.trace, **wishes)
        assert isinstance(made, Process)
        return made

    def worker(self) -> None:
        """Start a worker, as a supervisor does for one that ended."""
        if len(self.nodes) < PROCESSES_MAX:
            scenario = self.scenario
            self.node(
                concurrency=scenario.concurrency,
                parcel_jobs=scenario.parcel_jobs,
                grace_s=scenario.grace_s,
                wall=SkewedClock(clock=self.clock, skew=scenario.skew(len(self.nodes))),
            )

    @property
    def api(self) -> Process:
        """The process that takes requests."""
        assert isinstance(self.client, Process)
        return self.client

    def new_api(self) -> None:
        """Start another one in its place."""
        self.client = self.node(concurrency=None)

    @property
    def workers(self) -> list[Process]:
        """Those that live, frozen or not, the one that has lived longest first."""
        return [
            node
            for node in self.nodes
            if isinstance(node, Process) and node.is_alive and node.concurrency is not None
        ]

    def one(self, who: int) -> Process:
        """A living process by number: the API for a negative one, or where no worker lives."""
        workers = self.workers
        return self.api if who < 0 or not workers else workers[who % len(workers)]

    def next_tenant(self) -> str:
        """Return whose the next jobs are: three tenants in turn, who do not all stand in one share."""
        self.tenants = self.tenants[1:] + self.tenants[:1]
        return self.tenants[-1]

    def asks(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Let the API's process work on a request; it is over with the process."""
        NODE.set(self.api)
        task = asyncio.get_running_loop().create_task(work)
        NODE.set(None)
        self._follow(task)
        return task

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on that belongs to no process."""
        self._follow(asyncio.get_running_loop().create_task(work))

    def _follow(self, task: "asyncio.Task[None]") -> None:
        self.requests.add(task)
        task.add_done_callback(self._is_answered)

    def _is_answered(self, task: "asyncio.Task[None]") -> None:
        self.requests.discard(task)
        if not task.cancelled():
            error = task.exception()
            self.witness.law(12, error is None, "a request met a fault of ours", repr(error))

    # ---- what is judged here

    def believers(self, fence: Fence) -> list[str]:
        """Name the processes that run on in the belief that they hold this version."""
        now = asyncio.get_running_loop().time()
        return [
            process.name
            for process in self.workers
            if not process.is_frozen
            for run in process.keeper.runs
            if run.fence == fence and _believes(process, run, now)
        ]

    def _is_at_work(self, fence: Fence) -> bool:
        """A handler has begun for this version in the process that asks, and has not ended."""
        process = NODE.get()
        return any(
            ran.node is process
            and ran.job_id == fence.job_id
            and ran.version == fence.version
            and ran.ended_s is None
            for ran in self.runs
        )

    def _judge_ack(self, fence: Fence) -> None:
        """Nobody may be left waiting without a notice (a notice that the adversary took is not counted)."""
        row = self.watched.standing(fence)
        if row is None or row.state is not JobState.QUEUED or fence in self.witness.lost:
            return
        if row.stop_asked or row.is_expired(self.clock.now()):
            return  # the scheduler looks after these
        if row.id in self.trace.refused:
            return
        kept = any(each.fence == fence for each in self.watched.outbox.values())
        found = kept or self.line.copies()[fence] > 0
        about = (self.witness.name(fence.job_id), "version", fence.version)
        self.witness.law(9, found, "the last notice of a waiting job was acknowledged", *about)

    def _judge_copies(self, fence: Fence, count: int) -> None:
        reasons = self.witness.faults + self.trace.seen[REFILL]
        few = count <= COPIES_AT_REST + reasons
        about = (self.witness.name(fence.job_id), f"{count} copies, {reasons} faults and refills")
        self.witness.law(6, few, "the broker is filled with copies", *about)

    async def _handle(self, payload: dict[str, Any], context: JobContext) -> object:
        process, now = NODE.get(), asyncio.get_running_loop().time()
        name, law = self.witness.name(context.job_id), self.witness.law
        row = self.watched.rows[context.job_id]
        mine = (
            isinstance(process, Process) and process.is_called(row.worker) and row.attempt == context.attempt
        )
        if self.witness.clock_is_settled:
            held = row.state is JobState.PROCESSING and mine
            law(5, held, "a handler began without holding its job", name, row.state.value)
            others = [other for other in self._runs_elsewhere(context.job_id) if other != process]
            law(5, not others, "two run one job in good faith", name)
        if process is not None and process.concurrency is not None:
            few = len(process.keeper.runs) <= process.concurrency
            law(4, few, "more runs than slots", process.name, len(process.keeper.runs))
        if held_here := (row.state is JobState.PROCESSING and mine):
            law(13, json.loads(row.payload) == payload, "a handler got an old payload", name)
        ran = Ran(
            job_id=context.job_id,
            node=process,
            attempt=context.attempt,
            version=row.version if held_here else 0,
            key=context.idempotency_key,
            started_s=now,
            context=context,
        )
        self.runs.append(ran)
        if self.fair.lane_of(row).share:
            self.trace.saw("seen: begun from another share than the first")
        self.trace.tell(
            "?" if process is None else process.name, "begins", name, f"attempt {context.attempt}"
        )
        try:
            value = await self.work(payload, context)
            ran.returned = True
            if process is not None and process.is_alive:
                self.effects[context.job_id] = self.effects.get(context.job_id, 0) + 1
            return value
        finally:
            ran.ended_s = asyncio.get_running_loop().time()

    def _runs_elsewhere(self, job_id: UUID) -> list[Process]:
        now = asyncio.get_running_loop().time()
        return [
            process
            for process in self.workers
            if not process.is_frozen
            for run in process.keeper.runs
            if run.job.id == job_id and _believes(process, run, now)
        ]


def _believes(process: Process, run: Run, now_s: float) -> bool:
    """It runs on in the belief that it holds its job, by its lease and by its presence lock."""
    until_s = min(run.believes_until_s, process.attendance.believed_until(run.job.worker or ""))
    return until_s > now_s and run.interrupt is None and not run.is_settling


def runs_by_job(stage: Stage) -> Mapping[UUID, list[Ran]]:
    """Return the handler's runs, by job."""
    found: dict[UUID, list[Ran]] = {}
    for ran in stage.runs:
        found.setdefault(ran.job_id, []).append(ran)
    return found
