"""The worker's side of one child."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from typing import Final

from jobmill.adapters.processes.child_log import log_from_child
from jobmill.adapters.processes.frames import BrokenFrame, errand_frame, next_frame, outcome_in, packed
from jobmill.application.handlers.log_fields import with_shown
from jobmill.application.outcomes import Outcome
from jobmill.application.ports.executors import Errand, Report
from jobmill.domain.failure import Failure, FailureKind

#: What a handler has, once it was told to end, before its process is killed.
STOP_GRACE_S: Final = 1.0
#: The modules are searched where the worker searches them, in the same order.
_BEGIN: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from jobmill.adapters.processes.in_child import main; main()"
)


class NotBegun(Exception):
    """The child had ended before it took the errand: nothing of it was run."""


class ChildProcess:
    """A process that runs one errand at a time, in a session of its own with all that it starts."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._ending = asyncio.create_task(self._take_all_along())

    @classmethod
    async def start(cls) -> "ChildProcess":
        """Start a child; raises ``OSError`` where the machine has no room for it."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-c", _BEGIN, json.dumps(sys.path), str(os.getpid()), str(theirs.fileno())),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            ours.setblocking(False)
            reader, writer = await asyncio.open_unix_connection(sock=ours)
        except BaseException:
            ours.close()  # which ends a child that has begun
            raise
        return cls(process, reader, writer)

    @property
    def is_usable(self) -> bool:
        """It has not ended yet, as far as is known."""
        return self._process.returncode is None and not self._reader.at_eof()

    async def run(self, errand: Errand, *, report: Report) -> Outcome:
        """See ``Processes``. Afterwards the child may be unusable; raises ``NotBegun`` too."""
        listening = asyncio.create_task(self._run(errand, report))
        try:
            return await asyncio.shield(listening)
        except asyncio.CancelledError:
            return await self._stop(listening)

    async def _stop(self, listening: "asyncio.Task[Outcome]") -> Outcome:
        """Return what the handler still says within its grace; else kill it and raise ``CancelledError``."""
        try:
            self._writer.write(packed({"interrupt": True}))
            await asyncio.wait({listening}, timeout=STOP_GRACE_S)
            if listening.done() and self.is_usable:
                return listening.result()
            raise asyncio.CancelledError
        finally:
            if not listening.done():
                listening.cancel()
                await self.kill()
            elif not listening.cancelled():
                listening.exception()  # nobody asks for it any more

    async def _run(self, errand: Errand, report: Report) -> Outcome:
        level = logging.getLogger().level
        self._writer.write(packed({"errand": errand_frame(errand), "log_level": level}))
        fields = {"job_id": str(errand.job_id), "type": errand.type, "attempt": errand.attempt}
        about = with_shown(fields, errand.told)
        has_begun = False
        try:
            while (frame := await next_frame(self._reader)) is not None:
                if "outcome" in frame:
                    return outcome_in(frame["outcome"])
                if "begun" in frame:
                    has_begun = True
                    continue
                if "progress" in frame:
                    report(frame["progress"], frame["note"])
                else:
                    log_from_child(frame, about)
        except BrokenFrame as error:
            await self.kill()
            return Failure(kind=FailureKind.TRANSIENT, message=f"the handler's process said {error}")
        await self.kill()  # it closed its pipe, so it is of no more use
        if not has_begun:
            raise NotBegun(self._last_words())
        return Failure(kind=FailureKind.TRANSIENT, message=f"the handler's process {self._last_words()}")

    def _last_words(self) -> str:
        code = self._process.returncode
        if code is not None and code < 0:
            return f"was ended by {_signal_name(-code)}"
        return f"ended with exit status {code}"

    async def kill(self) -> None:
        """End the child and everything it started; return when it is gone."""
        if self._process.returncode is None:
            self._kill_all()
        self._writer.close()
        await asyncio.shield(self._ending)

    async def _take_all_along(self) -> None:
        """What it started holds its pipe, it may be, and would hide that it has ended."""
        await self._process.wait()
        self._kill_all()

    def _kill_all(self) -> None:
        """Kill its group, and itself where it has left that. asyncio alone may ask how it ended."""
        kills = [os.killpg, os.kill] if self._process.returncode is None else [os.killpg]
        for kill in kills:
            try:
                kill(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass  # nothing is left of it


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
