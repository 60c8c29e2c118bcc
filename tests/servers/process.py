"""One server process that we started: ended by its id, and never left behind."""

import asyncio
import pwd
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, field

from tests.servers.descendants import descendants, send
from tests.servers.waiting import until

KILL_WAIT_S = 10.0
LOG_TAIL_CHARS = 2_000

# Ends the server when the test run is gone without a goodbye, which closes the pipe it reads from.
WATCHDOG = 'read -r goodbye || kill -9 "$1"'


@define(kw_only=True)
class ServerProcess:
    """A server in a session of its own, its output in ``log``."""

    log: Path
    _server: subprocess.Popen[bytes] = field(repr=False)
    _watchdog: subprocess.Popen[bytes] = field(repr=False)

    @classmethod
    def start(
        cls, command: Sequence[str], *, log: Path, cwd: Path, env: Mapping[str, str], user: str | None = None
    ) -> "ServerProcess":
        """Start ``command``, as ``user`` if one is named; that it answers is for the caller to see."""
        account = pwd.getpwnam(user) if user else None
        with log.open("ab") as output:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=dict(env),
                start_new_session=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG, "watchdog", str(server.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        return cls(log=log, server=server, watchdog=watchdog)

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def has_ended(self) -> bool:
        return self._server.poll() is not None

    async def wait(self, *, within_s: float) -> int:
        """Wait for a process that ends by itself, kill it if it does not; 0 when all went well."""
        await until(self._ended, within_s=within_s)
        await self.kill()
        return self._server.returncode

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.send(signal.SIGINT)

    def send(self, what: signal.Signals) -> None:
        """Send a signal; one that has ended does not mind."""
        self._server.send_signal(what)

    def terminate(self) -> None:
        """Ask it to end, as a service manager does."""
        self.send(signal.SIGTERM)

    async def stop(self, how: signal.Signals, *, within_s: float) -> None:
        """Ask the server to end by the signal ``how``; kill it if it has not after ``within_s``."""
        if not self.has_ended:
            self.thaw()
            self._server.send_signal(how)
            await until(self._ended, within_s=within_s)
        await self.kill()

    async def kill(self) -> None:
        """End the server and all it started, at once, as a power cut would."""
        family = descendants(self.pid)
        if not self.has_ended:
            self._server.kill()
        for child in family:
            send(child, signal.SIGKILL)
        await asyncio.to_thread(self._server.wait, KILL_WAIT_S)
        self._dismiss_watchdog()

    def freeze(self) -> None:
        """Let the server hang: it keeps its connections and answers nothing."""
        for each in (self.pid, *descendants(self.pid)):
            send(each, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on where it was."""
        for each in (*descendants(self.pid), self.pid):
            send(each, signal.SIGCONT)

    def last_words(self) -> str:
        """The end of what the server printed."""
        return self.log.read_text(errors="replace")[-LOG_TAIL_CHARS:] if self.log.exists() else ""

    async def _ended(self) -> bool:
        return self.has_ended

    def _dismiss_watchdog(self) -> None:
        if self._watchdog.poll() is None:
            self._watchdog.communicate(b"goodbye\n", timeout=KILL_WAIT_S)
