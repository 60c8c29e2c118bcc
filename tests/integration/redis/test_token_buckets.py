"""Token buckets on a Redis that is shared, slow, gone, or not one at all."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
import pytest_asyncio
import redis.asyncio

from jobmill.adapters.redis import RedisTokenBuckets, open_redis_buckets
from jobmill.application.errors import Unavailable, WrongAddress
from jobmill.application.local_buckets import SharedTokenBuckets
from jobmill.domain.token_bucket import RateLimit
from jobmill.testing.notes import Notes

from tests.servers.private_redis import PrivateRedis
from tests.servers.redis_place import RedisPlace

NO_WAIT = timedelta(0)
SLOW = RateLimit(per_s=0.01, burst=3)


@pytest_asyncio.fixture
async def own_buckets(own_redis: PrivateRedis) -> AsyncGenerator[RedisTokenBuckets]:
    async with open_redis_buckets(own_redis.url, prefix="mill") as opened:
        yield opened


async def test_processes_share_a_rate(redis_place: RedisPlace) -> None:
    opening = [open_redis_buckets(redis_place.url, prefix=redis_place.prefix) for _ in range(2)]
    async with opening[0] as one, opening[1] as other:
        assert [await each.take("sms", SLOW) for each in (one, other, one)] == [NO_WAIT] * 3
        assert await other.take("sms", SLOW) > NO_WAIT
        await one.close("call", timedelta(seconds=500))
        assert await other.take("call", SLOW) > NO_WAIT


async def test_what_nobody_asks_for_any_more_goes_away_by_itself(redis_place: RedisPlace) -> None:
    async with open_redis_buckets(redis_place.url, prefix=redis_place.prefix) as buckets:
        await buckets.take("sms", SLOW)
        await buckets.close("call", timedelta(seconds=500))

    async with redis.asyncio.from_url(redis_place.url) as client:
        lives = [await client.ttl(f"{redis_place.prefix}:bucket:{name}") for name in ("sms", "call")]
    assert all(300 < life_s < 1_000 for life_s in lives)


async def test_a_server_that_is_gone_or_hangs_is_unavailable_and_then_used_again(
    own_redis: PrivateRedis, own_buckets: RedisTokenBuckets
) -> None:
    assert await own_buckets.take("sms", SLOW) == NO_WAIT

    own_redis.freeze()
    with pytest.raises(Unavailable, match="Redis cannot be used"):
        await own_buckets.take("sms", SLOW)
    own_redis.thaw()
    await own_redis.kill()
    with pytest.raises(Unavailable, match="Redis cannot be used"):
        await own_buckets.take("sms", SLOW)
    await own_redis.start()

    assert await own_buckets.take("sms", SLOW) == NO_WAIT


async def test_a_process_keeps_the_rate_by_itself_while_redis_is_away_and_says_so_once(
    own_redis: PrivateRedis, own_buckets: RedisTokenBuckets
) -> None:
    notes = Notes()
    buckets = SharedTokenBuckets(shared=own_buckets, observer=notes)
    await own_redis.kill()

    waits = [await buckets.take("sms", SLOW) for _ in range(5)]

    assert waits[:3] == [NO_WAIT] * 3
    assert min(waits[3:]) > NO_WAIT
    assert notes.names == ["rates are kept by this process alone"]


async def test_an_address_that_cannot_be_read_is_refused_without_its_words() -> None:
    with pytest.raises(WrongAddress) as refusal:
        async with open_redis_buckets("http://user:secret@host/", prefix="mill"):
            pass

    assert "secret" not in str(refusal.value)
