"""Opening the adapters that the settings choose."""

import os
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from jobmill.adapters.memory import MemoryBus, MemoryIngress
from jobmill.adapters.processes import open_processes
from jobmill.adapters.sql import migrate, open_sql_store
from jobmill.adapters.system import SystemEntropy
from jobmill.adapters.threads import ThreadPool
from jobmill.application.handlers import Registry
from jobmill.application.ports.clock import Entropy
from jobmill.application.ports.message_bus import MessageBus
from jobmill.application.ports.topology import Topology
from jobmill.application.provider_guard import Protection
from jobmill.entrypoints.container.graph import Container
from jobmill.entrypoints.container.library import providers
from jobmill.entrypoints.container.protection import open_protection
from jobmill.entrypoints.settings import Settings, WrongSettings


@asynccontextmanager
async def open_container(
    settings: Settings,
    registry: Registry,
    *,
    with_bus: bool = True,
    protection: Protection | None = None,
) -> AsyncGenerator[Container]:
    """Open the adapters that the settings choose and hand them to a container.

    Neither database nor broker has to be reachable for this.

    Args:
        with_bus: False for a process that leaves its notices in the outbox, for others to publish.
        protection: the guard that the registry's handlers ask, which from now on shares the store's breakers;
            one of its own by default, for a process that runs none of them.
    """
    entropy = SystemEntropy()
    # A process id comes again, in a container even at once; the last part does not.
    process = f"{socket.gethostname()}:{os.getpid()}:{entropy.stamp() & 0xFFFFFFFF:08x}"
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_sql_store(settings.database_url, attended=with_bus))
        bus = await stack.enter_async_context(_open_bus(settings, registry, entropy, with_bus=with_bus))
        # Neither starts anything before a job needs it.
        threads = ThreadPool(size=settings.threads)
        size = settings.processes or os.cpu_count() or 1
        processes = await stack.enter_async_context(open_processes(size=size))
        if protection is None:
            protection = await stack.enter_async_context(open_protection(settings))
        container = Container(
            store=providers.Object(store),
            bus=providers.Object(bus),
            # Nobody outside reaches a queue that is in this process; the services are the same all the same.
            foreign_queues=providers.Object(MemoryIngress() if isinstance(bus, MemoryBus) else bus),
            bindings=providers.Object(settings.bindings),
            topology=providers.Object(topology_of(settings, registry)),
            registry=providers.Object(registry),
            fair=providers.Object(settings.fair_queues),
            entropy=providers.Object(entropy),
            process_name=providers.Object(process),
            # Whoever runs jobs from such a file holds the process lock that lies beside it.
            is_alone=providers.Object(settings.is_embedded and settings.sqlite_file is not None),
            concurrency=providers.Object(settings.concurrency),
            retention=providers.Object(settings.retention),
            queue_jobs_max=providers.Object(settings.queue_jobs_max),
            threads=providers.Object(threads),
            processes=providers.Object(processes),
            protection=providers.Object(protection),
        )
        container.check_dependencies()
        protection.share(store.providers, clock=store.clock, observer=container.observer())
        yield container


def topology_of(settings: Settings, registry: Registry) -> Topology | None:
    """Return the owner of the broker's queues; None where the bus needs none."""
    if settings.is_embedded:
        return None
    from jobmill.adapters.rabbitmq import RabbitTopology  # loaded only where a broker is used

    return RabbitTopology(
        urls=settings.broker_url, prefix=settings.prefix, queues=registry.queues, fair=settings.fair_queues
    )


@asynccontextmanager
async def _open_bus(
    settings: Settings, registry: Registry, entropy: Entropy, *, with_bus: bool
) -> AsyncGenerator[MessageBus]:
    if settings.is_embedded or not with_bus:
        bus = MemoryBus(queues=registry.queues, fair=settings.fair_queues)
        if not with_bus:
            bus.disconnect()
        yield bus
        return
    from jobmill.adapters.rabbitmq import open_rabbit_bus

    async with open_rabbit_bus(
        settings.broker_url,
        prefix=settings.prefix,
        queues=registry.queues,
        fair=settings.fair_queues,
        fraction=entropy.fraction,
    ) as rabbit:
        yield rabbit


async def migrate_store(settings: Settings) -> tuple[int, int]:
    """Bring the database's tables up to date; return the revisions before and after.

    Raises:
        WrongSettings: there is no folder for the file of a SQLite database.
    """
    file = settings.sqlite_file
    if file is not None and not file.parent.is_dir():
        raise WrongSettings(
            f"JOBMILL_DATABASE_URL: there is no folder {file.parent}; make it, or name another"
        )
    return await migrate(settings.database_url)
