"""Where the lines of ``submit --file`` come from: a file, or whatever is written to standard input."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Semaphore, Thread
from typing import Any, Final

from attrs import frozen

from jobmill.application.lines import CHUNK_BYTES
from jobmill.entrypoints.cli.exits import WrongUse

STDIN: Final = "-"
#: Chunks that are read before they are asked for.
_AHEAD: Final = 2
#: In UTF-16 and UTF-32 one of the first bytes of JSON is null, with a byte order mark or without.
_SIGN_BYTES: Final = 4
#: How files begin that hold no lines of text.
_BEGINNINGS: Final = (
    (b"\xff\xfe", "is UTF-16, and has to be UTF-8; convert it, as by `iconv -f UTF-16 -t UTF-8`"),
    (b"\xfe\xff", "is UTF-16, and has to be UTF-8; convert it, as by `iconv -f UTF-16 -t UTF-8`"),
    (b"\x1f\x8b", "is compressed; unpack it on the way, as by `zcat FILE | jobmill submit TYPE --file -`"),
    (b"\x28\xb5\x2f\xfd", "is compressed; unpack it on the way, as by `zstdcat FILE | jobmill submit …`"),
    (b"PK\x03\x04", "is an archive; unpack it first"),
    (b"[", "begins with a list, and each line has to be an object; `jq -c '.[]' FILE` makes such lines"),
)


@frozen(kw_only=True)
class LineSource:
    """A stream that was opened.

    Args:
        name: for a person.
        path: where it can be read again from its beginning; None for a stream that comes once.
        size_bytes: of a file, None where nobody knows.
        status: of the file behind it, if there is one.
        read: returns up to so many bytes as soon as there are any, none at the end.
    """

    name: str
    path: Path | None
    size_bytes: int | None
    read: Callable[[int], bytes]
    status: os.stat_result | None = None

    def is_file(self, path: Path) -> bool:
        """Tell whether it is this file that is read, under whatever name."""
        return self.status is not None and path.exists() and os.path.samestat(self.status, path.stat())

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield what is read, which is done by a thread: nobody waits for a slow writer but the lines.

        Raises:
            WrongUse: it is no text of lines, or is empty.
            OSError: it cannot be read any further.
        """
        is_first = True
        async for chunk in _read_ahead(self.read):
            if is_first:
                is_first = False
                self._check(chunk)
            yield chunk
        if is_first:
            raise WrongUse(f"--file: {self.name} is empty: a line is wanted for each job")

    def _check(self, beginning: bytes) -> None:
        for sign, fault in _BEGINNINGS:
            if beginning.lstrip(b" \t\r\n").startswith(sign):
                raise WrongUse(f"--file: {self.name} {fault}")
        if b"\0" in beginning[:_SIGN_BYTES]:
            raise WrongUse(f"--file: {self.name} begins with null bytes, so it is no UTF-8 text")


@contextmanager
def open_source(file: str) -> Generator[LineSource]:
    """Open what is named; raises ``WrongUse`` where that cannot be read."""
    if file == STDIN:
        # Not by the buffer, whose lock a thread that waits for input would keep at the end of the process.
        stream: Any = sys.stdin.buffer
        raw = getattr(stream, "raw", stream)
        yield LineSource(
            name="standard input", path=None, size_bytes=None, read=raw.read, status=_status_of(raw)
        )
        return
    try:
        opened = Path(file).open("rb", buffering=0)  # noqa: SIM115 - what follows closes it
    except OSError as error:
        raise WrongUse(f"--file: {error.strerror}: {file}") from None
    with opened:
        status = os.fstat(opened.fileno())
        is_file = stat.S_ISREG(status.st_mode)
        yield LineSource(
            name=file,
            path=Path(file) if is_file else None,
            size_bytes=status.st_size if is_file else None,
            read=opened.read,
            status=status,
        )


def _status_of(stream: Any) -> os.stat_result | None:  # noqa: ANN401 - whatever stands for standard input
    try:
        return os.fstat(stream.fileno())
    except OSError:
        return None  # it is none of the system's


async def _read_ahead(read: Callable[[int], bytes]) -> AsyncGenerator[bytes]:
    loop = asyncio.get_running_loop()
    room, ready, is_over = Semaphore(_AHEAD), asyncio.Queue[bytes | OSError](), False

    def work() -> None:
        while True:
            room.acquire()
            if is_over:
                return
            try:
                chunk: bytes | OSError = read(CHUNK_BYTES)
            except OSError as error:
                chunk = error
            try:
                loop.call_soon_threadsafe(ready.put_nowait, chunk)
            except RuntimeError:
                return  # the loop is closed, so nobody waits
            if not chunk or isinstance(chunk, OSError):
                return

    # A daemon: one that waits for somebody's input must not keep the process from its end.
    Thread(target=work, name="reading lines", daemon=True).start()
    try:
        while chunk := await ready.get():
            if isinstance(chunk, OSError):
                raise chunk
            yield chunk
            room.release()
    finally:
        is_over = True
        room.release()
