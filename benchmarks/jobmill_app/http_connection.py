"""A client of HTTP that costs little, so that the server is what is measured."""

import asyncio
import re
from collections import deque
from typing import Final, cast

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END: Final = b"\r\n\r\n"
_STATUS_BYTES: Final = slice(9, 12)


class Refused(Exception):
    """The server's answer was no 201."""


class Connection(asyncio.Protocol):
    """Sends one request at a time over a connection that stays."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[None] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, and does not say so

    async def post(self, request: bytes) -> None:
        """Return when the answer is there, whole; raises ``Refused`` if it is another than 201."""
        assert self._transport is not None
        assert self._answer is None, "one request at a time"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(_END)
        if head < 0 or self._answer is None:
            return
        found = _LENGTH.search(self._received, 0, head)
        if found is None or len(self._received) < head + len(_END) + int(found[1]):
            return
        answer, self._answer = self._answer, None
        if self._received[_STATUS_BYTES] == b"201":
            answer.set_result(None)
        else:
            answer.set_exception(Refused(self._received[:2_000].decode(errors="replace")))
        self._received = b""

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the server closed the connection"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Connections:
    """As many connections as there are requests at once; who finds none free waits for one."""

    def __init__(self) -> None:
        self._free: deque[Connection] = deque()
        self._is_free = asyncio.Semaphore(0)

    async def open(self, port: int, count: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(count):
            _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
            self._free.append(connection)
            self._is_free.release()

    async def post(self, request: bytes) -> None:
        await self._is_free.acquire()
        connection = self._free.pop()
        try:
            await connection.post(request)
        finally:
            self._free.append(connection)
            self._is_free.release()

    def close(self) -> None:
        for connection in self._free:
            connection.close()


def request_of(path: str, body: bytes) -> bytes:
    """Return a POST of JSON, ready to be sent."""
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body
