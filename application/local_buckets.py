"""Rates that this process keeps by itself, and rates that it keeps with others as long as that works."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from attrs import define, evolve, field, frozen

from jobmill.application.errors import Unavailable
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.token_buckets import TokenBuckets
from jobmill.domain.token_bucket import RateLimit, TokenBucket

#: After a failure the shared buckets are left alone for so long.
TRY_AGAIN_S: Final = 5.0

T = TypeVar("T")


@frozen
class LocalTokenBuckets(TokenBuckets):
    """Buckets in memory, one for each name that was ever asked for."""

    _buckets: dict[str, TokenBucket] = field(factory=dict, init=False)
    _closed_until_s: dict[str, float] = field(factory=dict, init=False)

    async def take(self, name: str, limit: RateLimit) -> timedelta:
        """See ``TokenBuckets``."""
        now_s = asyncio.get_running_loop().time()
        closed_s = self._closed_until_s.get(name, -math.inf)
        if closed_s > now_s:
            return timedelta(seconds=closed_s - now_s)
        kept = self._buckets.get(name) or TokenBucket.full(limit, now_s=now_s)
        taken = evolve(kept, limit=limit).take(now_s)
        self._buckets[name] = taken.bucket
        return timedelta(seconds=taken.wait_s)

    async def close(self, name: str, span: timedelta) -> None:
        """See ``TokenBuckets``."""
        now_s = asyncio.get_running_loop().time()
        closed_s = self._closed_until_s.get(name, -math.inf)
        self._closed_until_s[name] = max(closed_s, now_s + span.total_seconds())


@define(kw_only=True, eq=False)
class SharedTokenBuckets(TokenBuckets):
    """The buckets of several processes; where they cannot be reached, this process keeps the rates alone.

    It says so once, and again when they are back.
    """

    _shared: TokenBuckets
    _observer: Observer
    _own: LocalTokenBuckets = field(factory=LocalTokenBuckets, init=False)
    _alone_until_s: float = field(default=-math.inf, init=False)
    _is_alone: bool = field(default=False, init=False)

    async def take(self, name: str, limit: RateLimit) -> timedelta:
        """See ``TokenBuckets``; never raises."""
        wait = await self._together(lambda: self._shared.take(name, limit))
        return await self._own.take(name, limit) if wait is None else wait

    async def close(self, name: str, span: timedelta) -> None:
        """See ``TokenBuckets``; never raises. It is closed here as well, for when the others are gone."""
        await self._own.close(name, span)
        await self._together(lambda: self._shared.close(name, span))

    async def _together(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        now_s = asyncio.get_running_loop().time()
        if now_s < self._alone_until_s:
            return None
        try:
            answer = await ask()
        except Unavailable as error:
            self._alone_until_s = now_s + TRY_AGAIN_S
            if not self._is_alone:
                self._observer.noted("rates are kept by this process alone", reason=str(error))
            self._is_alone = True
            return None
        if self._is_alone:
            self._observer.noted("rates are kept together again")
        self._is_alone = False
        return answer
