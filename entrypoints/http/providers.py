"""How the providers are that jobs are carried by."""

from datetime import UTC, datetime, timedelta

import msgspec
from attrs import frozen

from jobmill.application.ports.clock import Clock
from jobmill.application.ports.provider_states import ProviderRecord, ProviderStates
from jobmill.domain.circuit_breaker import BreakerPolicy, BreakerState
from jobmill.entrypoints.http.answers import Answer, Req, answer
from jobmill.entrypoints.http.query_string import no_query
from jobmill.entrypoints.http.views import Time

_WINDOW: timedelta = BreakerPolicy().window


class LimitsView(msgspec.Struct, kw_only=True):
    """What a provider is protected by, beside its breaker; null for no limit."""

    rate_per_s: float | None
    burst: int | None
    concurrency: int | None
    retry_share: float | None
    on_open: str | None


class ProviderView(msgspec.Struct, kw_only=True):
    """A provider and its breaker: since when it is in its state, and until when no call is made.

    ``calls`` and ``failures`` are those of the last half minute; while the breaker is not closed, those by
    which it opened.
    """

    name: str
    state: BreakerState
    since: Time
    until: Time | None
    calls: int
    failures: int
    limits: LimitsView
    changed_at: Time | None


@frozen(kw_only=True)
class ProviderRoutes:
    """Listing providers."""

    states: ProviderStates
    clock: Clock

    async def page(self, request: Req) -> Answer:
        """Show all providers by name."""
        no_query(request)
        now = self.clock.now()
        return answer([provider_view(record, now=now) for record in await self.states.look()])


def provider_view(record: ProviderRecord, *, now: datetime) -> ProviderView:
    """Return a provider as it is shown outside."""
    breaker = record.breaker
    window = breaker.window.last(_WINDOW, now=now) if breaker.is_closed else breaker.window
    limits = LimitsView(
        **{name: record.limits.get(name) for name in LimitsView.__struct_fields__}  # type: ignore[arg-type]
    )
    return ProviderView(
        name=record.provider,
        state=breaker.state,
        since=breaker.since.astimezone(UTC),
        until=None if breaker.until is None else breaker.until.astimezone(UTC),
        calls=window.calls,
        failures=window.failures,
        limits=limits,
        changed_at=None if record.changed_at is None else record.changed_at.astimezone(UTC),
    )
