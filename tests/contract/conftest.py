"""The adapters that the suites run over. A new adapter is a new name in a list here, and its opener."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from jobmill.adapters.memory import MemoryBus, MemoryStore
from jobmill.adapters.system import SystemClock, SystemEntropy
from jobmill.application.ports.message_bus import MessageBus
from jobmill.application.ports.store import Store
from jobmill.testing.contracts.bus_world import FAIR, QUEUES
from jobmill.testing.contracts.fixtures import (
    BusOpener,
    IngressOpener,
    StoreOpener,
    bus,
    mail,
    store,
    strangers,
    world,
)

from tests.contract.ingress_worlds import in_memory, on_rabbit
from tests.servers.amqp_place import AmqpPlace
from tests.servers.clean_slate import CleanSlate
from tests.servers.databases import Databases

__all__ = ["bus", "mail", "store", "strangers", "world"]


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_opener(request: pytest.FixtureRequest, tmp_path: Path) -> StoreOpener:
    """How to open the store under test. Servers are asked for here, outside the test's event loop."""
    match request.param:
        case "sqlite":
            template: Path = request.getfixturevalue("migrated_sqlite")
            return lambda: sqlite_store(template, tmp_path / "jobmill.db")
        case "postgres":
            slate: CleanSlate = request.getfixturevalue("migrated_postgres")
            return lambda: postgres_store(slate)
        case _:
            return memory_store


@pytest.fixture(params=["memory", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def bus_opener(request: pytest.FixtureRequest) -> BusOpener:
    """How to open the bus under test."""
    if request.param == "rabbitmq":
        place: AmqpPlace = request.getfixturevalue("amqp")
        return lambda: rabbit_bus(place)
    return memory_bus


@pytest.fixture(params=["memory", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def ingress_opener(request: pytest.FixtureRequest) -> IngressOpener:
    """How to open the ingress under test."""
    if request.param == "rabbitmq":
        place: AmqpPlace = request.getfixturevalue("amqp")
        return lambda: on_rabbit(place)
    return in_memory


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, migrated once and then copied, which is much quicker."""
    from jobmill.adapters.sql import migrate

    path = tmp_path_factory.mktemp("migrated") / "jobmill.db"
    await migrate(f"sqlite:///{path}")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_postgres(databases: Databases) -> CleanSlate:
    """The like on PostgreSQL, to be emptied for each test."""
    from jobmill.adapters.sql import migrate

    slate = CleanSlate(await databases.create())
    await migrate(slate.url)
    await slate.keep()
    return slate


@asynccontextmanager
async def memory_store() -> AsyncGenerator[Store]:
    yield MemoryStore(clock=SystemClock())


@asynccontextmanager
async def sqlite_store(template: Path, path: Path) -> AsyncGenerator[Store]:
    from jobmill.adapters.sql import open_sql_store

    shutil.copyfile(template, path)
    async with open_sql_store(f"sqlite:///{path}") as opened:
        yield opened


@asynccontextmanager
async def postgres_store(slate: CleanSlate) -> AsyncGenerator[Store]:
    from jobmill.adapters.sql import open_sql_store

    await slate.restore()
    async with open_sql_store(slate.url) as opened:
        yield opened


@asynccontextmanager
async def memory_bus() -> AsyncGenerator[MessageBus]:
    bus = MemoryBus(queues=QUEUES, fair=FAIR)
    yield bus
    bus.close()


@asynccontextmanager
async def rabbit_bus(place: AmqpPlace) -> AsyncGenerator[MessageBus]:
    from jobmill.adapters.rabbitmq import RabbitTopology, open_rabbit_bus

    place.uses(*QUEUES, shares=2)
    await RabbitTopology([place.url], prefix=place.prefix, queues=QUEUES, fair=FAIR).apply()
    fraction = SystemEntropy().fraction
    async with open_rabbit_bus(
        [place.url], prefix=place.prefix, queues=QUEUES, fair=FAIR, fraction=fraction
    ) as opened:
        yield opened
