"""Processes that a run starts: each in a session of its own, ended with all it started, never left behind."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from attrs import field, frozen

from benchmarks.processes import family, process_table

ROOT: Final = Path(__file__).parents[1]
_END_WITHIN_S: Final = 15.0
_LAST_WORDS_CHARS: Final = 600


class Failed(Exception):
    """A contender's process did not do what it should; the message says what it said last."""


@frozen(kw_only=True)
class Command:
    """How a process is started, from the root of the project."""

    words: Sequence[str]
    env: Mapping[str, str] = field(factory=dict, repr=False)


@frozen(kw_only=True)
class Child:
    """A process that runs."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def has_ended(self) -> bool:
        return self.process.returncode is not None

    def last_words(self) -> str:
        """Return the end of what it wrote to its log."""
        text = self.log.read_text(errors="replace").strip() if self.log.exists() else ""
        return text[-_LAST_WORDS_CHARS:] or "it said nothing"

    async def read_line(self, *, within_s: float) -> str:
        """Return the next line of its output.

        Raises:
            Failed: it ended, or said nothing in time.
        """
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), within_s)
        except TimeoutError:
            raise Failed(f"no answer within {within_s:g} s: {self.last_words()}") from None
        if not line:
            await self.process.wait()
            raise Failed(f"ended with {self.process.returncode}: {self.last_words()}")
        return line.decode()

    async def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def wait(self, *, within_s: float) -> None:
        """Wait for its end.

        Raises:
            Failed: it does not end in time, or not well.
        """
        try:
            status = await asyncio.wait_for(self.process.wait(), within_s)
        except TimeoutError:
            raise Failed(f"did not end within {within_s:g} s: {self.last_words()}") from None
        if status:
            raise Failed(f"ended with {status}: {self.last_words()}")

    async def stop(self) -> None:
        """Ask it to end, and kill what is left of it and its descendants after some seconds."""
        relatives = [each.pid for each in family(self.pid, process_table())]
        if not self.has_ended:
            # Not by the process object, which would look for its end first and take that from asyncio.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), _END_WITHIN_S)
        for pid in relatives:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) == self.pid:
                    os.kill(pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def running(command: Command, *, log: Path, talks: bool = False) -> AsyncGenerator[Child]:
    """Run a process while the block lasts.

    Args:
        log: takes what it writes, but for its output where it ``talks``.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command.words,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **command.env},
            stdin=asyncio.subprocess.PIPE if talks else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if talks else file,
            stderr=file,
            start_new_session=True,
        )
    child = Child(process=process, log=log)
    try:
        yield child
    finally:
        await child.stop()


async def run(command: Command, *, log: Path, within_s: float = 60.0) -> None:
    """Run a process to its end; raises ``Failed``."""
    async with running(command, log=log) as child:
        await child.wait(within_s=within_s)
