"""``TokenBuckets``: rates that are kept. The suite asks for a fixture ``buckets``, all of them full."""

import asyncio
from datetime import timedelta

import pytest

from jobmill.application.ports.token_buckets import TokenBuckets
from jobmill.domain.token_bucket import WAIT_MAX_S, RateLimit

NO_WAIT = timedelta(0)
#: So slow that nothing grows while a test runs.
SLOW = RateLimit(per_s=0.01, burst=3)


def about(seconds: float) -> object:
    """A moment may have passed since."""
    return pytest.approx(seconds, abs=9)


async def test_a_burst_passes_and_those_after_it_are_told_to_come_one_by_one(buckets: TokenBuckets) -> None:
    waits = [(await buckets.take("sms", SLOW)).total_seconds() for _ in range(6)]

    assert waits[:3] == [0, 0, 0]
    assert waits[3:] == [about(100), about(200), about(300)]


async def test_however_many_ask_at_once_no_more_than_the_burst_pass(buckets: TokenBuckets) -> None:
    waits = await asyncio.gather(*(buckets.take("sms", SLOW) for _ in range(12)))

    assert waits.count(NO_WAIT) == SLOW.burst


async def test_tokens_grow_again(buckets: TokenBuckets) -> None:
    quick = RateLimit(per_s=200, burst=1)
    assert await buckets.take("sms", quick) == NO_WAIT

    wait = await buckets.take("sms", quick)
    while wait != NO_WAIT:
        await asyncio.sleep(wait.total_seconds())
        wait = await buckets.take("sms", quick)


async def test_buckets_do_not_depend_on_each_other(buckets: TokenBuckets) -> None:
    for _ in range(4):
        await buckets.take("sms", SLOW)

    assert await buckets.take("call", SLOW) == NO_WAIT


async def test_nobody_is_told_to_wait_for_longer_than_an_hour(buckets: TokenBuckets) -> None:
    for _ in range(50):
        await buckets.take("sms", SLOW)

    assert (await buckets.take("sms", SLOW)).total_seconds() == pytest.approx(WAIT_MAX_S, abs=0.001)


async def test_a_closed_bucket_gives_nobody_a_token(buckets: TokenBuckets) -> None:
    await buckets.close("sms", timedelta(seconds=500))

    assert (await buckets.take("sms", SLOW)).total_seconds() == about(500)
    assert (await buckets.take("sms", SLOW)).total_seconds() == about(500)
    assert await buckets.take("call", SLOW) == NO_WAIT


async def test_the_longer_closing_stands(buckets: TokenBuckets) -> None:
    await buckets.close("sms", timedelta(seconds=500))
    await buckets.close("sms", timedelta(seconds=5))

    assert (await buckets.take("sms", SLOW)).total_seconds() == about(500)


async def test_another_limit_holds_from_the_next_time_on(buckets: TokenBuckets) -> None:
    assert await buckets.take("sms", RateLimit(per_s=0.01, burst=10)) == NO_WAIT

    narrower = RateLimit(per_s=0.02, burst=1)
    assert await buckets.take("sms", narrower) == NO_WAIT
    assert (await buckets.take("sms", narrower)).total_seconds() == about(50)
