"""Looking at the providers that workers call."""

from datetime import timedelta

from attrs import evolve

from jobmill.application.provider_limits import ProviderLimits
from jobmill.domain.call_window import CallWindow
from jobmill.domain.circuit_breaker import Breaker, BreakerPolicy, BreakerState
from jobmill.testing.contracts.provider_states import a_provider

from tests.unit.entrypoints.http.api_world import ApiWorld


async def test_providers_are_listed_by_name_with_their_breakers_and_limits(api: ApiWorld) -> None:
    now = api.clock.now()
    closed = Breaker(state=BreakerState.CLOSED, since=now - timedelta(days=1))
    failed = CallWindow.of(calls=12, failures=7, now=now)
    down = closed.tally(failed, now=now, policy=BreakerPolicy())
    limits = ProviderLimits().as_record()
    await api.store.providers.save(
        [a_provider("sms:b", breaker=down, limits={}), a_provider("email:a", breaker=closed, limits=limits)]
    )

    well, ill = (await api.get("/api/providers")).json()

    assert well["name"] == "email:a"
    assert (well["state"], well["until"], well["calls"]) == ("closed", None, 0)
    assert well["limits"] == {
        "rate_per_s": None,
        "burst": None,
        "concurrency": 1000,
        "retry_share": 0.2,
        "on_open": "wait",
    }
    assert (ill["name"], ill["state"], ill["calls"], ill["failures"]) == ("sms:b", "open", 12, 7)
    assert ill["since"] == now.isoformat().replace("+00:00", "Z")
    assert set(ill["limits"].values()) == {None}


async def test_calls_of_long_ago_are_not_shown(api: ApiWorld) -> None:
    now = api.clock.now()
    closed = Breaker(state=BreakerState.CLOSED, since=now)
    old = CallWindow.of(calls=9, failures=9, now=now - timedelta(minutes=1))
    await api.store.providers.save([a_provider(breaker=evolve(closed, window=old))])

    [shown] = (await api.get("/providers")).json()

    assert (shown["calls"], shown["failures"]) == (0, 0)
