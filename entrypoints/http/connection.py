"""One client's connection: bounded in what it may send before anybody reads it, and in the time it may take.

Leans on the insides of uvicorn's protocol for httptools, which has neither bound: it waits for ever for the
rest of a head, and keeps as much of one as is sent.
"""

import asyncio
import resource
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from jobmill.entrypoints.http.one_write import OneWrite
from jobmill.entrypoints.http.problems import MEDIA_TYPE, Problem

#: Request line and headers together, and the headers' number.
HEAD_BYTES_MAX: Final = 64 * 1024
HEADERS_MAX: Final = 200
#: For a head from its connection or first byte on, for a body from its head on.
HEAD_WITHIN_S: Final = 15.0
BODY_WITHIN_S: Final = 60.0
#: Per process, if it may open twice as many files; a client beyond it is turned away at once.
CONNECTIONS_MAX: Final = 5_000

_UNREADABLE: Final = "this is no HTTP/1.1 request, or its head is longer than 64 KiB or 200 headers"
_CROWDED: Final = "too many clients are connected; try again in a moment"


def connections_max() -> int:
    """Return how many clients may be connected: the database and others need files too."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(CONNECTIONS_MAX, files // 2)


class _TooManyHeaders(Exception):
    """Told to the parser, which stops."""


class BoundedConnection(HttpToolsProtocol):
    """A connection with bounds and deadlines; what breaks them is answered if it can be, and hung up on."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._unused_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Turn the client away, or expect its first request soon."""
        super().connection_made(OneWrite(transport))
        if len(self.connections) > connections_max():
            self._refuse("unavailable", _CROWDED)
        else:
            self._expect_within(HEAD_WITHIN_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless too much came that led to nothing: a head without end, or the trailer of a body."""
        if self.transport.is_closing():
            return
        self._unused_bytes += len(data)
        super().data_received(data)
        if self._unused_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """See the first byte of a request."""
        super().on_message_begin()
        if self._deadline is None:
            self._expect_within(HEAD_WITHIN_S)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the headers."""
        if len(self.headers) >= HEADERS_MAX:
            raise _TooManyHeaders
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Expect the body, if there is any."""
        self._unused_bytes = 0
        self._expect_within(BODY_WITHIN_S)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._unused_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See the end of a request; how long its answer takes is our own affair."""
        self._unused_bytes = 0
        self._expect_nothing()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request that can be read."""
        self._refuse("bad-request", _UNREADABLE)

    def _refuse(self, code: str, detail: str) -> None:
        """Answer and hang up; where a whole request is being answered, hang up when that is done."""
        self._expect_nothing()
        request = cast("RequestResponseCycle | None", self.cycle)
        if request is not None and not request.response_complete:
            if not request.more_body:
                request.keep_alive = False
                self.transport.pause_reading()
                return
            if request.response_started or self.pipeline:
                self.transport.close()
                return
        problem = Problem(code=code, detail=detail, instance="-")
        body = problem.body()
        head = (
            STATUS_LINE[problem.status]
            + f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n".encode()
            + b"cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head + body)
        self.transport.close()

    def _expect_within(self, seconds: float) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, self._hang_up)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()
