"""Token buckets in Redis: one script that judges by the server's own clock, one key for each bucket."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from jobmill.application.errors import Unavailable, WrongAddress
from jobmill.application.ports.token_buckets import TokenBuckets
from jobmill.domain.token_bucket import WAIT_MAX_S, RateLimit

#: A call to a provider waits no longer for its token than this; then the process keeps the rate by itself.
ANSWER_WITHIN_S: Final = 0.5
CONNECTIONS_MAX: Final = 16
_SCRIPT: Final = Path(__file__).with_name("token_bucket.lua").read_text()


@frozen(kw_only=True)
class RedisTokenBuckets(TokenBuckets):
    """The buckets of all processes that use one Redis and one prefix."""

    _redis: Redis
    _script: Any
    _prefix: str

    async def take(self, name: str, limit: RateLimit) -> timedelta:
        """See ``TokenBuckets``."""
        return await self._run(name, 0.0, limit.burst, limit.per_s)

    async def close(self, name: str, span: timedelta) -> None:
        """See ``TokenBuckets``."""
        await self._run(name, span.total_seconds(), 0, 0.0)

    async def _run(self, name: str, close_s: float, burst: int, per_s: float) -> timedelta:
        numbers = [f"{close_s:.6f}", burst, repr(per_s), WAIT_MAX_S]
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                wait_us = await self._script(keys=[f"{self._prefix}:bucket:{name}"], args=numbers)
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(f"Redis cannot be used: {type(error).__name__} {error}".strip()) from error
        return timedelta(microseconds=int(wait_us))


@asynccontextmanager
async def open_redis_buckets(url: str, *, prefix: str) -> AsyncGenerator[RedisTokenBuckets]:
    """Open a pool of connections, whether or not the server can be reached now.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://…`` or ``unix:///path``.
        prefix: of the keys.

    Raises:
        WrongAddress: the URL cannot be read; its words are not repeated.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS_MAX,
            timeout=ANSWER_WITHIN_S,
            socket_timeout=ANSWER_WITHIN_S,
            socket_connect_timeout=ANSWER_WITHIN_S,
        )
    except ValueError:
        raise WrongAddress(
            "JOBMILL_REDIS_URL cannot be read; it should look like redis://user:password@host:6379/0"
        ) from None
    redis = Redis(connection_pool=pool)
    try:
        yield RedisTokenBuckets(redis=redis, script=redis.register_script(_SCRIPT), prefix=prefix)
    finally:
        await redis.aclose(close_connection_pool=True)
