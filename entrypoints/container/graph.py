"""The object graph: which service gets which port."""

from typing import Any

from jobmill.adapters.prometheus import JobMeter
from jobmill.adapters.system import FactLog, SystemClock, stopwatch
from jobmill.application.admission import Admission
from jobmill.application.attendance import Attendance
from jobmill.application.backlog import Backlog
from jobmill.application.claimer import Claimer
from jobmill.application.commits import Commits
from jobmill.application.consumer import Consumer
from jobmill.application.dead_copies import DeadCopySweep
from jobmill.application.enlister import Enlister
from jobmill.application.fair_queues import FairQueues
from jobmill.application.follow_ups import FollowUps
from jobmill.application.forwarder import Forwarder
from jobmill.application.handlers import Registry
from jobmill.application.ingress import IngressReaders
from jobmill.application.ingress_taker import IngressTaker
from jobmill.application.inspector import Inspector
from jobmill.application.leader import Leader
from jobmill.application.lease_keeper import LeaseKeeper
from jobmill.application.lost_notices import LostNotices
from jobmill.application.observers import Observers
from jobmill.application.operator import Operator
from jobmill.application.orphans import Orphans
from jobmill.application.performer import Performer
from jobmill.application.progress_writer import ProgressWriter
from jobmill.application.provider_guard import Protection
from jobmill.application.receiver import Receiver
from jobmill.application.reconciler import Reconciler
from jobmill.application.relay import Relay
from jobmill.application.retention_keeper import RetentionKeeper
from jobmill.application.returner import Returner
from jobmill.application.runner import Runner
from jobmill.application.scheduler import Scheduler
from jobmill.application.service_gateway import ServiceGateway
from jobmill.application.setting_aside import SettingAside
from jobmill.application.submitter import Submitter
from jobmill.application.suspects import Suspects
from jobmill.application.topology_keeper import TopologyKeeper
from jobmill.application.type_keeper import TypeKeeper
from jobmill.application.watch import Watch
from jobmill.domain.lease import LeasePolicy
from jobmill.domain.retention import Retention
from jobmill.entrypoints.container.library import containers, providers


class Container(containers.DeclarativeContainer):
    """The object graph. Live things are opened outside and handed in; here is nothing to wait for."""

    store: "providers.Dependency[Any]" = providers.Dependency()
    bus: "providers.Dependency[Any]" = providers.Dependency()
    foreign_queues: "providers.Dependency[Any]" = providers.Dependency()
    bindings: "providers.Dependency[Any]" = providers.Dependency()
    topology: "providers.Dependency[Any]" = providers.Dependency()
    registry = providers.Dependency(instance_of=Registry)
    fair = providers.Dependency(instance_of=FairQueues)
    entropy: "providers.Dependency[Any]" = providers.Dependency()
    process_name = providers.Dependency(instance_of=str)
    is_alone = providers.Dependency(instance_of=bool)
    concurrency = providers.Dependency(instance_of=int)
    queue_jobs_max = providers.Dependency(instance_of=int)
    retention = providers.Dependency(instance_of=Retention)
    threads: "providers.Dependency[Any]" = providers.Dependency()
    processes: "providers.Dependency[Any]" = providers.Dependency()
    protection = providers.Dependency(instance_of=Protection)

    clock = store.provided.clock
    wall = providers.Singleton(SystemClock)  # of this machine, to be compared with the one that counts
    lease = providers.Singleton(LeasePolicy)
    watch = providers.Singleton(Watch, finder=store.provided.finder)
    facts = providers.Singleton(FactLog, told_of=registry.provided.told_of)
    job_meter = providers.Singleton(JobMeter)
    observer = providers.Singleton(Observers, providers.List(facts, job_meter, watch))
    lanes = providers.Singleton(
        lambda registry, fair: [lane for queue in registry.queues for lane in fair.lanes_of(queue)],
        registry,
        fair,
    )

    attendance = providers.Singleton(
        Attendance,
        presence=store.provided.presence,
        entropy=entropy,
        observer=observer,
        process=process_name,
        is_alone=is_alone,
    )
    relay = providers.Singleton(
        Relay, bus=bus, outbox=store.provided.outbox, clock=clock, observer=observer, fair=fair
    )
    commits = providers.Singleton(
        Commits, jobs=store.provided.jobs, entropy=entropy, observer=observer, announce=relay.provided.offer
    )
    types = providers.Singleton(
        TypeKeeper,
        types=store.provided.types,
        registry=registry,
        observer=observer,
        process=process_name,
        concurrency=concurrency,
    )
    submitter = providers.Singleton(
        Submitter,
        commits=commits,
        registry=registry,
        clock=clock,
        entropy=entropy,
        backlog=providers.Singleton(Backlog, finder=store.provided.finder, jobs_max=queue_jobs_max),
        types=types,
    )
    operator = providers.Singleton(
        Operator,
        commits=commits,
        leases=store.provided.leases,
        ended_jobs=store.provided.ended_jobs,
        quarantine=store.provided.quarantine,
        submitter=submitter,
        registry=registry,
        clock=clock,
        entropy=entropy,
    )
    inspector = providers.Singleton(
        Inspector,
        finder=store.provided.finder,
        quarantine=store.provided.quarantine,
        ended_jobs=store.provided.ended_jobs,
        providers=store.provided.providers,
    )
    service_gateway = providers.Singleton(
        ServiceGateway, submitter=submitter, operator=operator, inspector=inspector, watch=watch
    )
    enlister = providers.Singleton(Enlister, submitter=submitter, enlisting=store.provided.enlisting)
    keeper = providers.Singleton(
        LeaseKeeper, leases=store.provided.leases, attendance=attendance, policy=lease, observer=observer
    )
    progress = providers.Singleton(ProgressWriter, board=store.provided.progress, observer=observer)
    runner = providers.Singleton(
        Runner,
        commits=commits,
        registry=registry,
        keeper=keeper,
        performer=providers.Singleton(
            Performer,
            registry=registry,
            types=types,
            threads=threads,
            processes=processes,
            progress=progress,
            clock=clock,
            observer=observer,
        ),
        transactions=store.provided.transactions,
        clock=clock,
        entropy=entropy,
        observer=observer,
    )
    claimer = providers.Singleton(
        Claimer,
        commits=commits,
        registry=registry,
        clock=clock,
        entropy=entropy,
        lease=lease,
        attendance=attendance,
    )
    consumer = providers.Singleton(
        Consumer,
        bus=bus,
        lanes=lanes,
        commits=commits,
        receiver=providers.Singleton(
            Receiver,
            bus=bus,
            quarantine=store.provided.quarantine,
            barriers=store.provided.barriers,
            clock=clock,
            entropy=entropy,
            observer=observer,
        ),
        claimer=claimer,
        runner=runner,
        returner=providers.Singleton(
            Returner,
            bus=bus,
            outbox=store.provided.outbox,
            barriers=store.provided.barriers,
            clock=clock,
            entropy=entropy,
            observer=observer,
            fair=fair,
        ),
        admission=providers.Singleton(
            Admission,
            suspects=providers.Singleton(Suspects.among, concurrency),
            registry=registry,
            threads=threads.provided.size,
            processes=processes.provided.size,
        ),
        observer=observer,
        stopwatch=providers.Object(stopwatch),
        lease=lease,
        concurrency=concurrency,
    )
    ingress = providers.Singleton(
        IngressReaders,
        bindings=bindings,
        ingress=foreign_queues,
        taker=providers.Singleton(
            IngressTaker,
            submitter=submitter,
            aside=providers.Singleton(
                SettingAside,
                quarantine=store.provided.quarantine,
                clock=clock,
                entropy=entropy,
                observer=observer,
            ),
        ),
        observer=observer,
    )
    leader = providers.Singleton(
        Leader,
        leadership=store.provided.leadership,
        agenda=store.provided.agenda,
        scheduler=providers.Singleton(
            Scheduler, due_jobs=store.provided.due_jobs, commits=commits, clock=clock, entropy=entropy
        ),
        reconciler=providers.Singleton(
            Reconciler,
            leases=store.provided.leases,
            epochs=store.provided.epochs,
            commits=commits,
            relay=relay,
            lost_notices=providers.Singleton(
                LostNotices,
                barriers=store.provided.barriers,
                commits=commits,
                outbox=store.provided.outbox,
                bus=bus,
                relay=relay,
                lanes=lanes,
                clock=clock,
                entropy=entropy,
                observer=observer,
                lease=lease,
            ),
            dead_copies=providers.Singleton(
                DeadCopySweep,
                copies=bus,
                jobs=store.provided.jobs,
                finder=store.provided.finder,
                queues=registry.provided.queues,
                observer=observer,
            ),
            bus=bus,
            topology=topology,
            registry=registry,
            clock=clock,
            entropy=entropy,
            observer=observer,
            lease=lease,
        ),
        topology_keeper=providers.Singleton(
            TopologyKeeper, topology=topology, bus=bus, relay=relay, observer=observer
        ),
        orphans=providers.Singleton(
            Orphans,
            leases=store.provided.leases,
            attendance=attendance,
            commits=commits,
            registry=registry,
            clock=clock,
            entropy=entropy,
        ),
        retention_keeper=providers.Singleton(
            RetentionKeeper, steps=store.provided.retention, retention=retention, observer=observer
        ),
        attendance=attendance,
        observer=observer,
    )
    forwarder = providers.Singleton(
        Forwarder,
        relay=relay,
        leads=providers.Callable(lambda leader: lambda: leader.leads, leader),
        observer=observer,
    )
    follow_ups = providers.Singleton(
        FollowUps,
        ended_jobs=store.provided.ended_jobs,
        commits=commits,
        clock=clock,
        entropy=entropy,
        observer=observer,
        leads=providers.Callable(lambda leader: lambda: leader.leads, leader),
    )
