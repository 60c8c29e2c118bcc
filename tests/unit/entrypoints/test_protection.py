"""The guard as a process opens it."""

from pathlib import Path

from jobmill.application.ports.guard import Go, Shut
from jobmill.application.provider_limits import ProviderLimits
from jobmill.domain.token_bucket import RateLimit
from jobmill.entrypoints.container import (
    declared_registry,
    migrate_store,
    open_container,
    open_protection,
)
from jobmill.entrypoints.settings import Settings

LIMITS = ProviderLimits(rate=RateLimit(per_s=0.001, burst=1))


async def test_the_guard_that_handlers_ask_shares_the_breakers_of_the_store(tmp_path: Path) -> None:
    settings = Settings.from_env({"JOBMILL_HOME": str(tmp_path)})
    await migrate_store(settings)
    async with open_protection(settings) as guard:
        guard.declare("sms:twilio", LIMITS)
        async with open_container(settings, declared_registry(settings), protection=guard) as container:
            assert container.protection() is guard
            assert isinstance(await guard.ask("sms:twilio", attempt=1), Go)
            [record] = await container.store().providers.look()

    assert (record.provider, record.limits["burst"]) == ("sms:twilio", 1)


async def test_without_redis_each_process_keeps_the_rate_by_itself(tmp_path: Path) -> None:
    settings = Settings.from_env({"JOBMILL_HOME": str(tmp_path)})
    async with open_protection(settings) as one, open_protection(settings) as other:
        for guard in (one, other):
            guard.declare("sms:twilio", LIMITS)
            assert isinstance(await guard.ask("sms:twilio", attempt=1), Go)
            assert isinstance(await guard.ask("sms:twilio", attempt=1), Shut)


async def test_a_redis_that_is_out_of_reach_stops_nobody(tmp_path: Path) -> None:
    redis = {"JOBMILL_REDIS_URL": "redis://app:hush@127.0.0.1:1/0"}
    settings = Settings.from_env({"JOBMILL_HOME": str(tmp_path), **redis})
    async with open_protection(settings) as guard:
        guard.declare("sms:twilio", LIMITS)

        assert isinstance(await guard.ask("sms:twilio", attempt=1), Go)
        assert isinstance(await guard.ask("sms:twilio", attempt=1), Shut)
    assert "hush" not in repr(settings)
