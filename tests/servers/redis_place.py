"""A test's own place on a Redis server that others use too: a prefix, whose keys are removed at the end."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import redis.asyncio
from attrs import frozen


@frozen(kw_only=True)
class RedisPlace:
    """Where one test may keep what it likes, as long as the keys begin with ``prefix``."""

    url: str
    prefix: str


@asynccontextmanager
async def redis_place(url: str) -> AsyncGenerator[RedisPlace]:
    """A prefix that nobody else has."""
    place = RedisPlace(url=url, prefix=f"jobmill-test-{secrets.token_hex(5)}")
    try:
        yield place
    finally:
        async with redis.asyncio.from_url(url) as client:
            async for key in client.scan_iter(match=f"{place.prefix}:*"):
                await client.delete(key)
