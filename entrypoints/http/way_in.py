"""The way in: requests that bring jobs go straight to their routes.

The framework's own way to a route finds out for each request anew what is known here beforehand. It still
serves whatever is not exactly such a request by its method, its path and its host.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from attrs import frozen
from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from jobmill.entrypoints.http.answers import Req, Written
from jobmill.entrypoints.http.problems import answer_refusal

#: Hosts that the framework takes as well; what it says of others is its own affair.
_HOST: Final = re.compile(rb"[0-9A-Za-z._:\[\]-]*")


@frozen(kw_only=True)
class WayIn:
    """An ASGI application around the router.

    Args:
        routes: by exact path, what answers a POST there.
    """

    app: ASGIApp
    routes: Mapping[str, Callable[[Req], Awaitable[Written]]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        route = self.routes.get(scope["path"])
        if route is None or scope["type"] != ScopeType.HTTP or not _is_plain_post(scope):
            await self.app(scope, receive, send)
            return
        scope["path_template"] = scope["path"]  # as the router says it
        request: Req = Request(scope, receive, send)
        try:
            answer: ASGIApp = await route(request)
        except Exception as error:  # noqa: BLE001 - what nobody thought of is answered as on every other route
            answer = answer_refusal(request, error).to_asgi_response(app=None, request=request)
        await answer(scope, receive, send)


def _is_plain_post(scope: HTTPScope) -> bool:
    """It is not below the path of another application, and its host is one that nobody refuses."""
    if scope["method"] != "POST" or scope.get("root_path"):
        return False
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return _HOST.fullmatch(host) is not None
