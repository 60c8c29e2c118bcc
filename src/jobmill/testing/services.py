"""The real services of one process, over its share of a store and a broker in memory."""

import asyncio
from typing import Any, Final

from attrs import define, field

from jobmill.adapters.memory import MemoryBroker, MemoryBus, MemoryStore
from jobmill.adapters.memory.bus import PublishFaults, no_publish_faults
from jobmill.adapters.memory.tables import Tables
from jobmill.adapters.processes.pool import ProcessPool
from jobmill.adapters.threads import ThreadPool
from jobmill.application.admission import Admission
from jobmill.application.attendance import Attendance
from jobmill.application.backlog import Backlog
from jobmill.application.claimer import Claimer
from jobmill.application.commits import Commits
from jobmill.application.consumer import Consumer
from jobmill.application.dead_copies import DeadCopySweep
from jobmill.application.follow_ups import FollowUps
from jobmill.application.handlers import Registry
from jobmill.application.inspector import Inspector
from jobmill.application.leader import Leader
from jobmill.application.lease_keeper import LeaseKeeper
from jobmill.application.lost_notices import LostNotices
from jobmill.application.operator import Operator
from jobmill.application.orphans import Orphans
from jobmill.application.performer import Performer
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.executors import Processes, Threads
from jobmill.application.progress_writer import ProgressWriter
from jobmill.application.receiver import Receiver
from jobmill.application.reconciler import Reconciler
from jobmill.application.relay import Relay
from jobmill.application.retention_keeper import RetentionKeeper
from jobmill.application.returner import Returner
from jobmill.application.runner import Runner
from jobmill.application.scheduler import Scheduler
from jobmill.application.submitter import Submitter
from jobmill.application.suspects import Suspects
from jobmill.application.topology_keeper import TopologyKeeper
from jobmill.application.type_keeper import TypeKeeper
from jobmill.domain.lease import LeasePolicy
from jobmill.domain.retention import Retention
from jobmill.entrypoints.engine import Engine
from jobmill.testing.cable import Cable
from jobmill.testing.notes import Notes

LEASE: Final = LeasePolicy()


@define(eq=False, kw_only=True, slots=False)
class Services:
    """What a process is made of. Without ``concurrency`` it only takes jobs in, as an API does."""

    name: str
    tables: Tables
    broker: MemoryBroker
    registry: Registry
    clock: Clock
    entropy: Entropy
    #: What the process takes for the store's time, where that is not quite the same.
    wall: Clock | None = None
    concurrency: int | None = None
    parcel_jobs: int = 50
    queue_jobs_max: int = 1_000_000
    leads: bool = True
    follows_up: bool = True  # where it leads; a world in which no job waits for others can do without
    is_alone: bool = False
    is_present: bool = True  # holds a lock that shows it alive; else its leases alone do
    shows_types: bool = False  # to the other processes, and looks at theirs
    grace_s: float = 25.0
    threads: Threads = field(factory=lambda: ThreadPool(size=32))
    processes: Processes = field(factory=lambda: ProcessPool(size=2))
    cable: Cable = field(factory=Cable)
    publish_faults: PublishFaults = no_publish_faults
    notes: Notes = field(factory=Notes)

    def __attrs_post_init__(self) -> None:
        """Build the graph."""
        self.store = MemoryStore(clock=self.clock, tables=self.tables, faults=self.cable)
        self.bus = MemoryBus(broker=self.broker, faults=self.publish_faults)
        wall, fair = self.wall or self.clock, self.broker.fair
        chance: dict[str, Any] = {"clock": wall, "entropy": self.entropy}
        watched: dict[str, Any] = {"observer": self.notes}
        self.relay = Relay(
            bus=self.bus,
            outbox=self.store.outbox,
            clock=wall,
            parcel_jobs=self.parcel_jobs,
            fair=fair,
            **watched,
        )
        self.commits = Commits(
            jobs=self.store.jobs, entropy=self.entropy, announce=self.relay.offer, **watched
        )
        types = TypeKeeper(
            types=self.store.types,
            registry=self.registry,
            process=self.name,
            concurrency=self.concurrency or 1,
            **watched,
        )
        self.types = types if self.shows_types else None
        ruled: dict[str, Any] = {"commits": self.commits, "registry": self.registry, **chance}
        self.submitter = Submitter(
            backlog=Backlog(finder=self.store.finder, jobs_max=self.queue_jobs_max),
            types=self.types,
            **ruled,
        )
        kept: dict[str, Any] = {"quarantine": self.store.quarantine, "ended_jobs": self.store.ended_jobs}
        self.operator = Operator(leases=self.store.leases, submitter=self.submitter, **kept, **ruled)
        self.inspector = Inspector(finder=self.store.finder, providers=self.store.providers, **kept)
        self.attendance = Attendance(
            presence=self.store.presence if self.is_present else None,
            entropy=self.entropy,
            process=self.name,
            is_alone=self.is_alone,
            **watched,
        )
        present: dict[str, Any] = {"attendance": self.attendance}
        self.keeper = LeaseKeeper(leases=self.store.leases, policy=LEASE, **present, **watched)
        self.progress = ProgressWriter(board=self.store.progress, **watched)
        performer = Performer(
            registry=self.registry,
            types=self.types,
            threads=self.threads,
            processes=self.processes,
            progress=self.progress,
            clock=wall,
            **watched,
        )
        self.runner = self.make_runner(
            keeper=self.keeper,
            performer=performer,
            transactions=self.store.transactions,
            **ruled,
            **watched,
        )
        self.claimer = Claimer(lease=LEASE, **present, **ruled)
        self.returner = Returner(
            bus=self.bus,
            outbox=self.store.outbox,
            barriers=self.store.barriers,
            fair=fair,
            **chance,
            **watched,
        )
        lanes = [lane for queue in self.registry.queues for lane in fair.lanes_of(queue)]
        self.consumer = Consumer(
            bus=self.bus,
            lanes=lanes,
            commits=self.commits,
            receiver=Receiver(
                bus=self.bus,
                quarantine=self.store.quarantine,
                barriers=self.store.barriers,
                **chance,
                **watched,
            ),
            claimer=self.claimer,
            runner=self.runner,
            returner=self.returner,
            admission=Admission(
                suspects=Suspects.among(self.concurrency or 1),
                registry=self.registry,
                threads=self.threads.size,
                processes=self.processes.size,
            ),
            stopwatch=asyncio.get_running_loop().time,
            lease=LEASE,
            concurrency=self.concurrency or 1,
            **watched,
        )
        self.scheduler = Scheduler(due_jobs=self.store.due_jobs, commits=self.commits, **chance)
        self.lost_notices = LostNotices(
            barriers=self.store.barriers,
            outbox=self.store.outbox,
            bus=self.bus,
            relay=self.relay,
            lanes=lanes,
            commits=self.commits,
            lease=LEASE,
            **chance,
            **watched,
        )
        self.reconciler = Reconciler(
            leases=self.store.leases,
            epochs=self.store.epochs,
            relay=self.relay,
            lost_notices=self.lost_notices,
            dead_copies=DeadCopySweep(
                copies=self.bus,
                jobs=self.store.jobs,
                finder=self.store.finder,
                queues=self.registry.queues,
                **watched,
            ),
            bus=self.bus,
            topology=None,
            lease=LEASE,
            **ruled,
            **watched,
        )
        self.leader = Leader(
            leadership=self.store.leadership,
            agenda=self.store.agenda,
            scheduler=self.scheduler,
            reconciler=self.reconciler,
            topology_keeper=TopologyKeeper(topology=None, bus=self.bus, relay=self.relay, **watched),
            retention_keeper=RetentionKeeper(steps=self.store.retention, retention=Retention(), **watched),
            orphans=Orphans(leases=self.store.leases, **present, **ruled),
            **present,
            **watched,
        )
        self.follow_ups = FollowUps(
            ended_jobs=self.store.ended_jobs,
            commits=self.commits,
            leads=lambda: self.leader.leads,
            **chance,
            **watched,
        )
        works = self.concurrency is not None
        self.engine = Engine(
            relay=self.relay,
            commits=self.commits,
            store=self.store,
            consumer=self.consumer if works else None,
            keeper=self.keeper if works else None,
            progress=self.progress if works else None,
            leader=self.leader if works and self.leads else None,
            follow_ups=self.follow_ups if works and self.leads and self.follows_up else None,
            attendance=self.attendance if works else None,
            types=self.types,
            grace_s=self.grace_s,
            **watched,
        )

    def make_runner(self, **wiring: Any) -> Runner:
        """Return what runs the handlers, for a process that wants to watch it."""
        return Runner(**wiring)
