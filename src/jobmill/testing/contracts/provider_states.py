"""``ProviderStates``: how the providers are, one record each, changed by compare-and-set."""

import asyncio
from datetime import timedelta
from typing import Any

from attrs import evolve

from jobmill.application.ports.provider_states import ProviderRecord
from jobmill.application.ports.store import Store
from jobmill.domain.call_window import CallWindow
from jobmill.domain.circuit_breaker import Breaker, BreakerState
from jobmill.testing.builders import HOUR, NOW, SECOND


def a_provider(provider: str = "sms:twilio", **facts: Any) -> ProviderRecord:
    breaker = Breaker(
        state=BreakerState.HALF_OPEN,
        since=NOW,
        until=NOW + timedelta(microseconds=1),
        openings=3,
        successes=1,
        probe=-(2**63),
        window=CallWindow.of(calls=10, failures=7, now=NOW).plus(
            CallWindow.of(calls=1, failures=0, now=NOW - HOUR)
        ),
    )
    made_up: dict[str, Any] = {
        "provider": provider,
        "breaker": breaker,
        "limits": {"rate_per_s": 2.5, "burst": None, "on_open": "wait", "concurrency": 5},
    }
    return ProviderRecord(**(made_up | facts))


def a_closed_breaker() -> Breaker:
    return Breaker(state=BreakerState.CLOSED, since=NOW)


async def test_a_record_is_kept_as_it_was_saved(store: Store) -> None:
    new = a_provider()

    assert await store.providers.save([new]) == [True]

    [kept] = await store.providers.look()
    assert kept == evolve(new, version=1)
    assert kept.changed_at is not None
    assert abs(kept.changed_at - store.clock.now()) < HOUR


async def test_a_closed_breaker_without_calls_is_kept_too(store: Store) -> None:
    await store.providers.save([a_provider(breaker=a_closed_breaker(), limits={})])

    [kept] = await store.providers.look(["sms:twilio"])
    assert (kept.breaker, kept.limits) == (a_closed_breaker(), {})


async def test_nobody_overwrites_what_somebody_saved_since_the_look(store: Store) -> None:
    await store.providers.save([a_provider()])
    [seen] = await store.providers.look()

    assert await store.providers.save([evolve(seen, breaker=a_closed_breaker())]) == [True]
    assert await store.providers.save([seen]) == [False]
    assert await store.providers.save([a_provider()]) == [False]

    [kept] = await store.providers.look()
    assert (kept.breaker, kept.version) == (a_closed_breaker(), 2)


async def test_of_many_who_saw_the_same_exactly_one_saves(store: Store) -> None:
    await store.providers.save([a_provider()])
    [seen] = await store.providers.look()

    tries = [store.providers.save([evolve(seen, limits={"burst": n})]) for n in range(8)]
    answers = await asyncio.gather(*tries)

    assert sorted(is_saved for [is_saved] in answers) == [*[False] * 7, True]


async def test_each_record_of_a_batch_has_its_own_answer(store: Store) -> None:
    await store.providers.save([a_provider("b")])

    assert await store.providers.save([a_provider("c"), a_provider("b"), a_provider("a")]) == [
        True,
        False,
        True,
    ]
    assert [each.provider for each in await store.providers.look()] == ["a", "b", "c"]


async def test_saving_nothing_is_harmless(store: Store) -> None:
    assert await store.providers.save([]) == []


async def test_only_what_is_asked_for_is_looked_at(store: Store) -> None:
    await store.providers.save([a_provider(name) for name in ("push:1", "Email:b", "email:a", "sms")])

    assert [each.provider for each in await store.providers.look(["sms", "nobody"])] == ["sms"]
    assert await store.providers.look([]) == []
    assert [each.provider for each in await store.providers.look()] == ["Email:b", "email:a", "push:1", "sms"]


async def test_what_nobody_changed_for_long_is_forgotten_up_to_the_limit(store: Store) -> None:
    """The store's clock cannot be moved, so what is changed now is older than an age below nothing."""
    await store.providers.save([a_provider(name) for name in "abc"])

    assert await store.providers.forget(unchanged_for=HOUR, limit=10) == 0
    assert await store.providers.forget(unchanged_for=-SECOND, limit=2) == 2
    assert await store.providers.forget(unchanged_for=-SECOND, limit=2) == 1
    assert await store.providers.look() == []
