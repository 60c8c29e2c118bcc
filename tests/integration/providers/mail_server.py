"""An SMTP server for tests: it takes every mail, or says what a test tells it to."""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from attrs import define, field

#: Instead of a reply: the connection ends, or nothing more ever comes.
HANG_UP: Final = "hang up"
SILENCE: Final = "silence"

_USUAL: Final = {
    "GREETING": "220 ready",
    "HELO": "250 hello",
    "AUTH": "235 welcome",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "RSET": "250 ok",
    "DATA": "354 go on",
    "CONTENT": "250 taken",
    "STARTTLS": "220 go on",
    "QUIT": "221 bye",
}


@define(eq=False)
class MailServer:
    """What the server was told to say, and what it has seen.

    Args:
        extensions: of its answer to EHLO.
        replies: per verb, instead of the usual reply, the next ones in order; ``GREETING`` and ``CONTENT``
            stand for what comes first and what follows the content. ``{line}`` repeats what came.
        commands: every line from a client, in order, but those of the content.
        opened: how many connections there were.
        gate: no content is answered while it is closed.
    """

    port: int = 0
    extensions: list[str] = field(factory=list)
    replies: dict[str, list[str]] = field(factory=dict)
    starttls: ssl.SSLContext | None = None
    commands: list[str] = field(factory=list)
    mails: list[bytes] = field(factory=list)
    opened: int = 0
    gate: asyncio.Event = field(factory=asyncio.Event)
    waiting: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(0))
    _writers: set[StreamWriter] = field(factory=set)
    _empty: asyncio.Event = field(factory=asyncio.Event)

    @property
    def open_now(self) -> int:
        """How many connections there are."""
        return len(self._writers)

    def verbs(self) -> list[str]:
        """The commands without their arguments."""
        return [command.split(" ")[0] for command in self.commands]

    def hang_up_on_everybody(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def everybody_left(self) -> None:
        """Return when there is no connection any more."""
        while self._writers:
            self._empty.clear()
            await self._empty.wait()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Talk to one client until it leaves."""
        self.opened += 1
        self._writers.add(writer)
        try:
            await self._say(writer, "GREETING", "")
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                self.commands.append(line)
                await self._obey(line, reader, writer)
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            self._empty.set()
            writer.close()

    async def _obey(self, line: str, reader: StreamReader, writer: StreamWriter) -> None:
        verb = line.split(" ", maxsplit=1)[0].upper()
        if verb == "EHLO":
            extensions = [*self.extensions, *(["STARTTLS"] if self.starttls else [])]
            lines = ["250-hello", *(f"250-{extension}" for extension in extensions), "250 HELP"]
            await self._say(writer, verb, line, usual="\r\n".join(lines))
            return
        await self._say(writer, verb, line)
        if verb == "DATA" and "DATA" not in self.replies:
            content = await reader.readuntil(b"\r\n.\r\n")
            self.waiting.release()
            await self.gate.wait()
            await self._say(writer, "CONTENT", "")
            self.mails.append(content.removesuffix(b".\r\n"))
        elif verb == "STARTTLS" and self.starttls:
            await writer.start_tls(self.starttls)
        elif verb == "QUIT":
            raise ConnectionResetError

    async def _say(self, writer: StreamWriter, verb: str, line: str, *, usual: str = "") -> None:
        wished = self.replies.get(verb)
        reply = wished.pop(0) if wished else usual or _USUAL.get(verb, "502 what?")
        if reply == HANG_UP:
            writer.transport.abort()
            raise ConnectionResetError
        if reply == SILENCE:
            await asyncio.get_running_loop().create_future()
        writer.write(reply.replace("{line}", line).encode() + b"\r\n")
        await writer.drain()


@asynccontextmanager
async def serving(
    mail_server: MailServer, *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[MailServer]:
    """Run a server on a free port of this machine."""
    mail_server.gate.set()
    tasks: set[asyncio.Task[None]] = set()

    def meet(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(mail_server.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=tls)
    mail_server.port = server.sockets[0].getsockname()[1]
    try:
        yield mail_server
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
