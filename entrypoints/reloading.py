"""Development: a process that is started anew whenever a file of the project changes."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from watchfiles import Change, awatch
from watchfiles.main import FileChange

from jobmill.entrypoints.project_file import FILE
from jobmill.entrypoints.serving import stop_on_signals

#: Handlers get this long to finish before a reload; what takes longer is handed back and runs again.
GRACE_S: Final = 2
#: Beyond the grace: open requests, and notices to announce.
_END_WITHIN_S: Final = GRACE_S + 15.0
#: Files saved together within this are one change.
_SETTLED_MS: Final = 400
_NOT_THE_USERS: Final = frozenset({"__pycache__", "node_modules", "build", "dist"})

Say = Callable[[str], None]


@frozen(kw_only=True)
class Reloader:
    """Runs one command, and runs it again after each change.

    A command that ended, such as one whose code does not even load, is waited on: the next change
    starts it again.

    Args:
        command, env: what to run, and with which environment.
        folder: the project; its Python files and its ``pyproject.toml`` are watched.
        say: tells the person what happens.
    """

    command: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    say: Say

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; the command is over by then as well."""
        stop = stop_on_signals()
        stopping = asyncio.create_task(stop.wait())
        changes = awatch(
            self.folder, watch_filter=self._concerns, debounce=_SETTLED_MS, ignore_permission_denied=True
        )
        change = asyncio.create_task(_next(changes))
        await asyncio.sleep(0)  # the watch stands before the command first reads the code
        try:
            while not stop.is_set():
                child = await asyncio.create_subprocess_exec(
                    *self.command, cwd=self.folder, env=dict(self.env)
                )
                try:
                    await self._outlived(child, stopping, change)
                    if change.done() and not stop.is_set():
                        self.say(f"reload: {self._shown(change.result())} changed")
                        # Later changes are kept for the one who asks next, so none is missed meanwhile.
                        change = asyncio.create_task(_next(changes))
                finally:
                    await self._end(child)
        finally:
            change.cancel()
            await asyncio.wait({change})

    async def _outlived(self, child: Process, *events: "asyncio.Task[Any]") -> None:
        """Wait for one of the events, whether the command runs that long or not; say so if it does not."""
        ended = asyncio.create_task(child.wait())
        await asyncio.wait({ended, *events}, return_when=asyncio.FIRST_COMPLETED)
        if not any(event.done() for event in events):
            self.say(f"reload: ended with exit code {ended.result()}; waiting for a change")
            await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()

    async def _end(self, child: Process) -> None:
        """Let the command shut down, and see to it that it is gone: its port and its lock are needed."""
        if child.returncode is not None:
            return
        child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_END_WITHIN_S):
                await child.wait()
        except TimeoutError:
            self.say("reload: it does not end and is killed; what it ran runs again when its lease is over")
            child.kill()
            await child.wait()

    def _concerns(self, _: Change, path: str) -> bool:
        return concerns(Path(path), self.folder)

    def _shown(self, changed: set[FileChange]) -> str:
        paths = sorted({str(Path(path).relative_to(self.folder)) for _, path in changed})
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        return f"{paths[0]}{more}"


async def _next(changes: AsyncGenerator[set[FileChange]]) -> set[FileChange]:
    return await anext(changes)


def concerns(path: Path, folder: Path) -> bool:
    """Whether a changed file is part of the project's code or settings.

    Hidden folders, caches, and virtual environments are not, wherever they lie in the folder.
    """
    within = path.relative_to(folder)
    if path.suffix != ".py" and within != Path(FILE):
        return False
    if any(part.startswith(".") or part in _NOT_THE_USERS for part in within.parts):
        return False
    above = (folder.joinpath(*within.parts[:depth]) for depth in range(1, len(within.parts)))
    return not any((each / "pyvenv.cfg").is_file() for each in above)
