"""The contract of ``jobmill.testing.contracts.token_buckets``, over every adapter."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import pytest_asyncio

from jobmill.application.local_buckets import LocalTokenBuckets
from jobmill.application.ports.token_buckets import TokenBuckets
from jobmill.testing.contracts.token_buckets import *

from tests.servers.redis_place import RedisPlace

Opener = Callable[[], AbstractAsyncContextManager[TokenBuckets]]


@pytest.fixture(params=["local", pytest.param("redis", marks=pytest.mark.redis)])
def buckets_opener(request: pytest.FixtureRequest) -> Opener:
    """How to open the buckets under test. The server is asked for here, outside the test's event loop."""
    if request.param == "local":
        return local_buckets
    from jobmill.adapters.redis import open_redis_buckets

    place: RedisPlace = request.getfixturevalue("redis_place")
    return lambda: open_redis_buckets(place.url, prefix=place.prefix)


@pytest_asyncio.fixture
async def buckets(buckets_opener: Opener) -> AsyncGenerator[TokenBuckets]:
    """The buckets under test."""
    async with buckets_opener() as opened:
        yield opened


@asynccontextmanager
async def local_buckets() -> AsyncGenerator[TokenBuckets]:
    yield LocalTokenBuckets()
