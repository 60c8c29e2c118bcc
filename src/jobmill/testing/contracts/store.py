"""``Store``: one database, opened."""

import asyncio
from datetime import UTC

from jobmill.adapters.system import SystemClock
from jobmill.application.ports.store import Store
from jobmill.testing.builders import DAY


async def test_a_store_that_is_there_says_so(store: Store) -> None:
    await store.check()


async def test_its_clock_tells_utc(store: Store) -> None:
    now = store.clock.now()

    assert now.tzinfo is UTC
    assert abs(now - SystemClock().now()) < DAY


async def test_its_clock_does_not_go_back(store: Store) -> None:
    first = store.clock.now()
    await store.check()

    assert store.clock.now() >= first


async def test_waiting_for_others_can_be_given_up(store: Store) -> None:
    waiting = asyncio.ensure_future(store.foreign_commit())
    await store.check()
    waiting.cancel()
    [outcome] = await asyncio.gather(waiting, return_exceptions=True)

    assert isinstance(outcome, asyncio.CancelledError)


async def test_a_commit_outlives_the_power(store: Store) -> None:
    assert await store.weakness() is None
