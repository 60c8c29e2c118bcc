"""The guard of a process: with a Redis, its rates are those of all processes."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from jobmill.adapters.system import FactLog, SystemClock, SystemEntropy
from jobmill.application.local_buckets import LocalTokenBuckets, SharedTokenBuckets
from jobmill.application.ports.token_buckets import TokenBuckets
from jobmill.application.provider_guard import Protection
from jobmill.entrypoints.settings import Settings


@asynccontextmanager
async def open_protection(settings: Settings) -> AsyncGenerator[Protection]:
    """Open what guards the providers, before the handlers are made that ask it.

    Its breakers are this process's own until ``open_container`` lets it share those of the store.
    """
    async with AsyncExitStack() as stack:
        buckets: TokenBuckets = LocalTokenBuckets()
        if settings.redis_url is not None:
            from jobmill.adapters.redis import open_redis_buckets  # loaded only where it is used

            opening = open_redis_buckets(settings.redis_url, prefix=settings.prefix)
            shared = await stack.enter_async_context(opening)
            buckets = SharedTokenBuckets(shared=shared, observer=FactLog())
        yield Protection(clock=SystemClock(), entropy=SystemEntropy(), observer=FactLog(), buckets=buckets)
