"""Hot reads from Redis, when there is one and it answers; without it everything works all the same."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

T = TypeVar("T")
log = logging.getLogger(__name__)

#: How long a value is believed.
KEPT_S = 30
#: How long nobody keeps a value that somebody is about to change; longer than any statement may take.
MARKED_S = 10
MARK = b""
#: How long a Redis that did not answer is left alone.
PAUSE_S = 5.0


class Cache:
    """JSON texts by their names."""

    def __init__(self, redis: "Redis | None") -> None:
        self._redis = redis
        self._silent_until = 0.0

    async def read(self, name: str, load: Callable[[], Awaitable[bytes | None]]) -> tuple[bytes | None, str]:
        """Return what is kept under a name, else what ``load`` finds; and which it was: hit, miss or off."""
        kept = await self._ask(lambda redis: redis.get(name))
        if isinstance(kept, bytes) and kept != MARK:
            return kept, "hit"
        found = await load()
        if found is not None and kept != MARK:
            # Only where nothing is by now: a mark that was set while we were loading says that this is old.
            await self._ask(lambda redis: redis.set(name, found, ex=KEPT_S, nx=True))
        return found, "miss" if self.is_on else "off"

    async def distrust(self, name: str) -> None:
        """Mark what is about to change, before it is committed: so nobody can keep the old state beyond that.

        While Redis is away this does nothing; what it held comes back with it, for at most ``KEPT_S``.
        """
        await self._ask(lambda redis: redis.set(name, MARK, ex=MARKED_S))

    @property
    def is_on(self) -> bool:
        """There is a Redis, and it has answered last time."""
        return self._redis is not None and time.monotonic() >= self._silent_until

    async def _ask(self, command: Callable[["Redis"], Awaitable[T]]) -> T | None:
        if self._redis is None or not self.is_on:
            return None
        try:
            return await command(self._redis)
        except (RedisError, OSError) as error:
            self._silent_until = time.monotonic() + PAUSE_S
            log.warning("Redis does not answer, reading from the database: %s", error)
            return None


def open_redis(url: str) -> "Redis | None":
    """Return a client that gives up quickly; None without a URL."""
    return Redis.from_url(url, socket_timeout=0.2, socket_connect_timeout=0.2) if url else None
