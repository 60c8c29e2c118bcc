"""The outermost layer: names each request, refuses foreign hosts and pages, adds what all answers carry."""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from attrs import frozen
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from jobmill.entrypoints.http.problems import MEDIA_TYPE, Problem

_LOCAL_HOST: Final = re.compile(rb"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
#: A proxy's own id for the request, if it is one word that can stand in a log.
_GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")

#: An answer that says something else of one of these keeps it.
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
#: What changes nothing, so that any page may cause it; what it is answered the page cannot read.
_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_NO_OTHER_PAGE: Final = frozenset({b"same-origin", b"none"})
_FOREIGN_PAGE: Final = (
    "a page of another origin may not change anything here. If this was a page of your own, "
    "serve it under the same host and port as the API; programs send no Origin"
)
_NOT_OURS: Final = (
    "this address is for this machine alone: ask localhost, 127.0.0.1 or [::1]. "
    "A page in a browser that comes here under another name is somebody else's"
)

_ENDING: Final = (
    "this process ends, and what was asked has not been answered in time: "
    "the change may have been made or not; look first, or repeat the request under the same idempotency key"
)


@frozen(kw_only=True)
class Guard:
    """An ASGI application around the real one.

    Args:
        is_local: refuse requests whose ``Host`` is no name of this machine, so that no page can reach the
            API by pointing a name of its own here (DNS rebinding).
        new_id: makes ids for requests that bring none.
    """

    app: ASGIApp
    is_local: bool
    new_id: Callable[[], object]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        request_id = self._request_id(scope)
        scope["state"]["request_id"] = request_id

        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                own = {name for name, _ in message["headers"]}
                more = [header for header in _ALWAYS if header[0] not in own]
                message["headers"] = [*message["headers"], *more, (b"x-request-id", request_id.encode())]
            await send(message)

        if self.is_local and not _is_for_this_machine(scope):
            await _refuse("misdirected-request", _NOT_OURS, request_id, send_with_headers)
        elif scope["method"] not in _HARMLESS and _is_of_a_foreign_page(scope):
            await _refuse("foreign-origin", _FOREIGN_PAGE, request_id, send_with_headers)
        else:
            try:
                await self.app(scope, receive, send_with_headers)
            except asyncio.CancelledError:
                if has_begun:
                    raise
                # The server ends, and the grace for answers is over.
                await _refuse("unavailable", _ENDING, request_id, send_with_headers, (b"retry-after", b"2"))

    def _request_id(self, scope: HTTPScope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _GIVEN_ID.fullmatch(value):
                return value.decode()
        return str(self.new_id())


def _is_for_this_machine(scope: HTTPScope) -> bool:
    hosts = _values(scope, b"host")
    return bool(hosts) and all(_LOCAL_HOST.fullmatch(host) for host in hosts)


def _is_of_a_foreign_page(scope: HTTPScope) -> bool:
    """Ask the browser: a page can neither leave these headers out nor write them itself.

    Where the browser says how page and API stand to each other that decides, since a proxy may have put
    another name into ``Host``; an older one only names the page's origin.
    """
    if sites := _values(scope, b"sec-fetch-site"):
        return not _OF_NO_OTHER_PAGE.issuperset(site.lower() for site in sites)
    hosts = {host.lower() for host in _values(scope, b"host")}
    return any(origin.lower().partition(b"://")[2] not in hosts for origin in _values(scope, b"origin"))


def _values(scope: HTTPScope, wanted: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == wanted]


async def _refuse(code: str, detail: str, request_id: str, send: Send, *more: tuple[bytes, bytes]) -> None:
    problem = Problem(code=code, detail=detail, instance=request_id)
    body = problem.body()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
