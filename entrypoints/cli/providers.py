"""The command ``providers``."""

from datetime import datetime
from typing import Annotated

from cyclopts import Parameter

from jobmill.entrypoints.cli.durations import ago, written
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import open_services, read_settings
from jobmill.entrypoints.http.providers import LimitsView, ProviderView, provider_view
from jobmill.entrypoints.http.views import encode


async def providers(*, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """List the providers that workers call, and whether they are taken to be well.

    Args:
        as_json: print each as one line of JSON.
    """
    screen = Screen()
    async with open_services(read_settings()) as services:
        store = services.store()
        records, now = await store.providers.look(), store.clock.now()
    views = [provider_view(record, now=now) for record in records]
    if as_json:
        for view in views:
            screen.json(encode(view))
        return
    if not views:
        screen.note("no providers yet: a worker shows those that it calls")
        return
    screen.table(
        ("PROVIDER", "BREAKER", "SINCE", "CALLS", "FAILED", "LIMITS"), [_row(view, now) for view in views]
    )


def _row(view: ProviderView, now: datetime) -> tuple[str, ...]:
    state = view.state.value
    if view.until is not None and view.until > now:
        state += f", {written(view.until - now)}"
    return (
        view.name,
        state,
        ago(now - view.since),
        f"{view.calls:,}",
        f"{view.failures:,}",
        _limits(view.limits),
    )


def _limits(limits: LimitsView) -> str:
    parts = [] if limits.rate_per_s is None else [f"{limits.rate_per_s:g}/s, {limits.burst} at once"]
    parts += [] if limits.concurrency is None else [f"{limits.concurrency} calls a process"]
    parts += [] if limits.on_open is None else [f"on open: {limits.on_open}"]
    return "; ".join(parts)
