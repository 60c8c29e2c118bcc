"""The cache never keeps what a writer is about to change, and is no condition for anything."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from task_board.cache import Cache, open_redis
from tests.servers.private_redis import PrivateRedis, private_redis


@pytest_asyncio.fixture
async def server() -> AsyncGenerator[PrivateRedis]:
    async with private_redis() as started:
        yield started


@pytest_asyncio.fixture
async def cache(server: PrivateRedis) -> AsyncGenerator[Cache]:
    redis = open_redis(server.url)
    assert redis is not None
    yield Cache(redis)
    await redis.aclose()


async def old() -> bytes:
    return b"old"


async def new() -> bytes:
    return b"new"


async def test_what_was_read_once_is_not_loaded_again(cache: Cache) -> None:
    assert await cache.read("tasks:1", old) == (b"old", "miss")
    assert await cache.read("tasks:1", new) == (b"old", "hit")


async def test_after_a_write_the_database_is_read(cache: Cache) -> None:
    await cache.read("tasks:1", old)

    await cache.distrust("tasks:1")

    assert await cache.read("tasks:1", new) == (b"new", "miss")


async def test_a_slow_reader_cannot_bring_back_what_was_changed_meanwhile(cache: Cache) -> None:
    async def slow() -> bytes:
        await cache.distrust("tasks:1")  # and the writer commits
        return b"old"

    await cache.read("tasks:1", slow)

    assert await cache.read("tasks:1", new) == (b"new", "miss")


async def test_what_is_not_there_is_not_kept(cache: Cache) -> None:
    async def nothing() -> None:
        return None

    assert await cache.read("tasks:1", nothing) == (None, "miss")
    assert await cache.read("tasks:1", new) == (b"new", "miss")


@pytest.mark.parametrize("trouble", ["kill", "freeze"])
async def test_a_redis_that_is_gone_or_hangs_costs_nothing_but_speed(
    cache: Cache, server: PrivateRedis, trouble: str
) -> None:
    await cache.read("tasks:1", old)

    if trouble == "kill":
        await server.kill()
    else:
        server.freeze()

    await cache.distrust("tasks:1")
    assert await cache.read("tasks:1", new) == (b"new", "off")
    assert not cache.is_on


async def test_without_a_redis_everything_is_loaded() -> None:
    cache = Cache(open_redis(""))

    await cache.distrust("tasks:1")

    assert await cache.read("tasks:1", new) == (b"new", "off")
