"""A stand-in for an API process, which answers, or dies over what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from attrs import define, field, frozen


@frozen(kw_only=True)
class Asked:
    """A request as it came."""

    line: str
    headers: Mapping[str, str]
    body_bytes: int


@define(kw_only=True)
class Peer:
    """Answers everything with 200, or ends the connection once it has the whole request."""

    port: int
    dies: bool = False
    asked: list[Asked] = field(init=False, factory=list)
    _server: asyncio.Server | None = field(init=False, default=None)

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self.serve, "127.0.0.1", self.port)

    def stop(self) -> None:
        """Listen no more, so that whoever comes is refused."""
        if self._server is not None:
            self._server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        try:
            while True:
                self.asked.append(await _read(reader))
                if self.dies:
                    return
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.transport.abort()


@asynccontextmanager
async def peer(port: int, *, dies: bool = False) -> AsyncGenerator[Peer]:
    """A peer that listens while the block lasts."""
    made = Peer(port=port, dies=dies)
    await made.start()
    try:
        yield made
    finally:
        made.stop()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *rest = head.split("\r\n")
    headers = {name.lower(): text for name, _, text in (each.partition(": ") for each in rest if each)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(line=line, headers=headers, body_bytes=len(body))
