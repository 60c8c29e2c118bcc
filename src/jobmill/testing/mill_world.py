"""The processes of a virtual mill, on one store and one broker in memory."""

import asyncio
from collections.abc import Iterable
from contextvars import Context
from typing import Any, Final

from attrs import define, field

from jobmill.adapters.memory import LoopClock, MemoryBroker, SeededEntropy
from jobmill.adapters.memory.tables import Tables
from jobmill.application.codec.parcels import open_parcel
from jobmill.application.handlers import JobType
from jobmill.application.ports.message_bus import Parcel, ToDead
from jobmill.testing.crash_plan import CrashPlan
from jobmill.testing.errors import MillEnded, RealTime
from jobmill.testing.known_types import KnownTypes
from jobmill.testing.node import Node, follow_tasks
from jobmill.testing.timeline import Timeline, Told
from jobmill.testing.virtual_loop import VirtualTimeLoop
from jobmill.testing.worker import Worker

#: What a supervisor takes to start a worker again.
RESTART_S: Final = 1.0
#: A worker that makes way for others lets its handlers finish, however long they take.
PATIENCE_S: Final = 7 * 86_400.0
_UNWINDING_TURNS_MAX: Final = 1_000


@define(eq=False, kw_only=True)
class MillWorld:
    """A client's process and some workers. Starts when it is first needed, on the loop that runs then."""

    types: KnownTypes
    seed: int
    workers_count: int
    concurrency: int
    plan: CrashPlan = field(factory=CrashPlan, init=False)
    tables: Tables = field(factory=Tables, init=False)
    clock: LoopClock = field(factory=LoopClock, init=False)
    timeline: Timeline = field(init=False)
    broker: MemoryBroker = field(factory=MemoryBroker, init=False)
    client: Node | None = field(default=None, init=False)
    workers: list[Worker] = field(factory=list, init=False)
    leaving: "dict[asyncio.Task[None], None]" = field(factory=dict, init=False)
    is_broker_down: bool = field(default=False, init=False)
    _doubled: set[str | None] = field(factory=set, init=False)
    _entropy: SeededEntropy = field(init=False)
    _loop: VirtualTimeLoop | None = field(default=None, init=False)
    _has_ended: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        """Declare the queues of the types that are given."""
        self._entropy = SeededEntropy(self.seed)
        self.timeline = Timeline(seconds=lambda: self.seconds)
        self._declare_queues()

    def learn(self, types: Iterable[JobType[Any]]) -> None:
        """Get to know types; workers for new queues come at once, and those before them leave."""
        for declared in types:
            self.types.learn(declared)
        if self._declare_queues() and self._loop is not None:
            for worker in [each for each in self.workers if each.is_alive and not each.is_stopping]:
                self._start_worker()
                stopping = self._outside(worker.stop())
                self.leaving[stopping] = None

    def open(self) -> VirtualTimeLoop:
        """Start everything, once, and return the loop; errors as in ``checked_loop``."""
        loop = self.checked_loop()
        if self._loop is None:
            self._loop = loop
            follow_tasks(loop)
            self.client = self._client()
            for _ in range(self.workers_count):
                self._start_worker()
        return loop

    def checked_loop(self) -> VirtualTimeLoop:
        """Return the running loop.

        Raises:
            RealTime: its time is real.
            MillEnded: the mill has ended, or runs on another loop.
        """
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualTimeLoop):
            raise RealTime
        if self._has_ended:
            raise MillEnded("this mill has ended with its test; make another VirtualMill")
        if self._loop not in (None, loop):
            raise MillEnded("this mill runs on another event loop; make a VirtualMill for this one")
        return loop

    @property
    def seconds(self) -> float:
        """How long the mill has run."""
        return 0.0 if self._loop is None else self._loop.time()

    @property
    def nodes(self) -> list[Node]:
        """Every process that there was."""
        return [*([self.client] if self.client else []), *self.workers]

    def double(self, type_name: str | None) -> None:
        """Deliver the notices of a type, or of all, twice from now on."""
        self._doubled.add(type_name)

    def take_broker_away(self) -> None:
        """Break all connections, and let none come back."""
        self.is_broker_down = True
        self._note("the broker is down")
        for node in self.nodes:
            node.bus.disconnect()

    def bring_broker_back(self) -> None:
        """Let the connections come back."""
        self.is_broker_down = False
        self._note("the broker is back")
        for node in self.nodes:
            if node.is_alive:
                node.bus.reconnect()

    def empty_broker(self) -> None:
        """Let the broker come back with nothing in it."""
        was_down = self.is_broker_down
        self.take_broker_away()
        self.broker.lose_everything()
        self._note("the broker has lost everything")
        if not was_down:
            self.bring_broker_back()

    async def end(self) -> None:
        """Kill whatever runs, and leave no task behind.

        Raises:
            EngineFailed: a service had ended by a fault of Jobmill's own.
        """
        has_ended, self._has_ended = self._has_ended, True
        if self._loop is None or has_ended:
            return
        faults = [fault for node in self.nodes if (fault := node.fault) is not None]
        for node in self.nodes:
            node.kill()
        await self._unwind()
        self.broker.stop()
        self._loop.set_task_factory(None)
        if faults:
            raise faults[0]

    async def _unwind(self) -> None:
        """Cancel what is left, as often as its own cleaning up waits for something."""
        for worker in self.workers:
            worker.unwind()
        for _ in range(_UNWINDING_TURNS_MAX):
            left = [task for node in self.nodes for task in node.tasks] + list(self.leaving)
            left = [task for task in left if task is not asyncio.current_task()]
            if not left:
                break
            for task in left:
                task.cancel()
            await asyncio.sleep(0)

    def in_client(self, work: Any) -> "asyncio.Task[Any]":  # noqa: ANN401 - a coroutine of any kind
        """Run something in the client's process, whoever asks: a worker that dies leaves it be."""
        assert self.client is not None
        return self.client.task(work)

    def _outside(self, work: Any) -> "asyncio.Task[Any]":  # noqa: ANN401
        """Run something that belongs to no process."""
        task = asyncio.get_running_loop().create_task(work, context=Context())
        task.add_done_callback(lambda task: self.leaving.pop(task, None))
        return task

    def _client(self) -> Node:
        client = Node(name="client", notes=Told(timeline=self.timeline, who="client"), **self._shared())
        self._join(client)
        return client

    def _start_worker(self) -> None:
        name = f"worker-{len(self.workers) + 1}"
        worker = Worker(
            name=name,
            notes=Told(timeline=self.timeline, who=name),
            plan=self.plan,
            timeline=self.timeline,
            died=self._replace,
            concurrency=self.concurrency,
            grace_s=PATIENCE_S,
            **self._shared(),
        )
        self.workers.append(worker)
        self._join(worker)

    def _join(self, node: Node) -> None:
        if self.is_broker_down:
            node.bus.disconnect()
        Context().run(node.start)

    def _shared(self) -> dict[str, Any]:
        return {
            "tables": self.tables,
            "broker": self.broker,
            "registry": self.types,
            "clock": self.clock,
            "entropy": self._entropy,
            "publish_faults": self._after_publishing,
        }

    def _replace(self, dead: Worker) -> None:
        """Start a worker as a supervisor does, unless the dead one was about to leave anyway."""
        if not dead.is_stopping:
            asyncio.get_running_loop().call_later(RESTART_S, self._restart, context=Context())

    def _restart(self) -> None:
        if not self._has_ended:
            self._start_worker()

    def _declare_queues(self) -> bool:
        """Make the queues that are missing; True if there were any."""
        missing = [queue for queue in self.types.queues if queue not in self.broker.dead]
        for queue in missing:
            self.broker.add_queue(queue)
        return bool(missing)

    def _after_publishing(self, moment: str, parcel: Parcel) -> None:
        if moment == "after" and self._doubled and not isinstance(parcel.destination, ToDead):
            jobs = open_parcel(parcel.body).jobs
            if None in self._doubled or any(job.type in self._doubled for job in jobs):
                self.broker.take(parcel)
                for job in jobs:
                    self.timeline.note("broker", "delivers its notice twice", job_id=job.id)

    def _note(self, what: str) -> None:
        self.timeline.note("broker", what)
