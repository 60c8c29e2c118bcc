"""The real graph on real servers, quicker than usual to give up waiting."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from dependency_injector import providers

from jobmill.domain.lease import LeasePolicy
from jobmill.entrypoints.container import Container, migrate_store, open_container, open_registry
from jobmill.entrypoints.engine import Engine
from jobmill.entrypoints.settings import Settings

from tests.servers.amqp_place import AmqpPlace

LEASE: Final = LeasePolicy(
    ttl=timedelta(seconds=1),
    renew_every=timedelta(seconds=0.4),
    margin=timedelta(seconds=0.1),
    ack_deadline=timedelta(seconds=1),
)


@asynccontextmanager
async def open_whole(
    place: AmqpPlace, database_url: str, home: Path, **more: str
) -> AsyncGenerator[Container]:
    """A container over a migrated database and an applied topology, with more settings by their names."""
    settings = Settings.from_env(
        {
            "JOBMILL_HOME": str(home),
            "JOBMILL_DATABASE_URL": database_url,
            "JOBMILL_BROKER_URL": place.url,
            "JOBMILL_PREFIX": place.prefix,
            **{f"JOBMILL_{name.upper()}": text for name, text in more.items()},
        }
    )
    await migrate_store(settings)
    async with open_registry(settings) as registry:
        place.uses(*registry.queues)
        for queue, shares in settings.fair_queues.shares.items():
            place.uses(queue, shares=shares)
        async with open_container(settings, registry) as opened:
            opened.lease.override(providers.Object(LEASE))
            await opened.topology().apply()
            yield opened


def engine_of(container: Container, *, works: bool) -> Engine:
    return Engine(
        relay=container.relay(),
        commits=container.commits(),
        store=container.store(),
        observer=container.observer(),
        consumer=container.consumer() if works else None,
        keeper=container.keeper() if works else None,
    )
