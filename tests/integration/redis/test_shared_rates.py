"""Processes with one Redis keep one rate."""

from pathlib import Path

from jobmill.application.ports.guard import CallResult, Go, Shut
from jobmill.application.provider_limits import ProviderLimits
from jobmill.domain.token_bucket import RateLimit
from jobmill.entrypoints.container import open_protection
from jobmill.entrypoints.settings import Settings

from tests.servers.redis_place import RedisPlace

SMS = "sms:twilio"


async def test_the_guards_of_two_processes_share_a_rate_and_a_pause(
    redis_place: RedisPlace, tmp_path: Path
) -> None:
    names = {"HOME": str(tmp_path), "REDIS_URL": redis_place.url, "PREFIX": redis_place.prefix}
    settings = Settings.from_env({f"JOBMILL_{name}": value for name, value in names.items()})
    async with open_protection(settings) as one, open_protection(settings) as other:
        for guard in (one, other):
            guard.declare(SMS, ProviderLimits(rate=RateLimit(per_s=0.01, burst=2)))
            guard.declare("call:twilio", ProviderLimits(rate=RateLimit(per_s=0.01, burst=2)))

        for guard in (one, other):
            assert isinstance(await guard.ask(SMS, attempt=1), Go)
        for guard in (one, other):
            assert isinstance(await guard.ask(SMS, attempt=1), Shut)

        go = await one.ask("call:twilio", attempt=1)
        assert isinstance(go, Go)
        await one.tell(go, CallResult.BUSY)
        assert isinstance(await other.ask("call:twilio", attempt=1), Shut)
