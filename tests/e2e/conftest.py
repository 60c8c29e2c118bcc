"""Mills for the tests: embedded, and on real servers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.e2e.mill import Mill, running_mill
from tests.servers.amqp_place import AmqpPlace
from tests.servers.ports import free_ports


@pytest_asyncio.fixture
async def embedded(tmp_path: Path) -> AsyncGenerator[Mill]:
    """A mill with no settings but its port."""
    [port] = free_ports(1)
    async with running_mill(tmp_path, port, {}) as mill:
        yield mill


@pytest_asyncio.fixture
async def bare_cluster(tmp_path: Path, amqp: AmqpPlace, postgres_url: str) -> AsyncGenerator[Mill]:
    """A mill on PostgreSQL and RabbitMQ, its tables and queues not made yet."""
    async with _on_servers(tmp_path, amqp, postgres_url) as mill:
        yield mill


@pytest_asyncio.fixture
async def cluster(tmp_path: Path, amqp: AmqpPlace, migrated_url: str) -> AsyncGenerator[Mill]:
    """A mill on PostgreSQL and RabbitMQ, with tables, and queues for the shipped types."""
    async with _on_servers(tmp_path, amqp, migrated_url) as mill:
        await mill.make_ready()
        yield mill


@asynccontextmanager
async def _on_servers(folder: Path, amqp: AmqpPlace, database_url: str) -> AsyncGenerator[Mill]:
    amqp.uses("call", "email", "push", "simulate", "sms", "webhook")
    [port] = free_ports(1)
    settings = {
        "JOBMILL_DATABASE_URL": database_url,
        "JOBMILL_BROKER_URL": amqp.url,
        "JOBMILL_PREFIX": amqp.prefix,
    }
    async with running_mill(folder, port, settings) as mill:
        yield mill


@pytest_asyncio.fixture
async def client(request: pytest.FixtureRequest) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the mill that the test uses."""
    names = ("cluster", "bare_cluster", "embedded")
    mill: Mill = request.getfixturevalue(next(name for name in names if name in request.fixturenames))
    async with httpx.AsyncClient(base_url=mill.url, timeout=30.0) as opened:
        yield opened
