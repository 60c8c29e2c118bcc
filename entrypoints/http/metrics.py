"""What Prometheus reads, and the layer that counts requests for it."""

from collections.abc import Awaitable
from time import perf_counter
from typing import Final

from attrs import frozen
from litestar import Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from jobmill.entrypoints.http.answers import PREFIX, Answer
from jobmill.entrypoints.metrics import Metrics

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
#: Of what leads nowhere, is of no method that we know, or was cut off before an answer began.
NONE: Final = "none"


@frozen(kw_only=True)
class MetricsRoutes:
    """For Prometheus."""

    metrics: Metrics

    async def page(self) -> Answer:
        """Show how everything is now."""
        body = await self.metrics.page()
        return Response(body, media_type=self.metrics.media_type, headers={"cache-control": "no-store"})


@frozen(kw_only=True)
class Measured:
    """An ASGI application around all others, which counts what they answer."""

    app: ASGIApp
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        status = NONE

        def send_and_see(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            return send(message)

        began_s = perf_counter()
        try:
            await self.app(scope, receive, send_and_see)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else NONE
            self.metrics.measure(method, _route(scope), status, perf_counter() - began_s)


def _route(scope: Scope) -> str:
    """Return the pattern of the path, one for both of its names; whoever waits for a job takes his time."""
    pattern: str = scope.get("path_template") or NONE
    pattern = pattern.removeprefix(PREFIX) or pattern
    return f"{pattern}?wait" if b"wait=" in scope.get("query_string", b"") else pattern
