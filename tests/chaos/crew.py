"""The processes of Jobmill, and the supervisor that starts again whatever ended."""

import asyncio
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import define, field

from tests.servers.process import ServerProcess
from tests.servers.waiting import until

LOOK_EVERY_S: Final = 0.1
#: Before a process that did not come up is started again.
PAUSE_S: Final = 1.0
STARTS_WITHIN_S: Final = 60.0
ENDS_WITHIN_S: Final = 60.0


@define(kw_only=True, eq=False)
class Member:
    """A place in the crew: one process after the other.

    Args:
        sign: what a process prints when it is ready.
    """

    name: str
    role: str
    command: Sequence[str]
    sign: str
    env: Mapping[str, str] = field(repr=False)
    folder: Path
    cwd: Path
    starts: int = field(default=0, init=False)
    #: Someone is about to end it, or has done so; then its end is no surprise.
    is_doomed: bool = field(default=False, init=False)
    is_wanted: bool = field(default=True, init=False)
    _process: ServerProcess | None = field(default=None, init=False)

    @property
    def process(self) -> ServerProcess:
        """The process that holds the place now, or held it last."""
        assert self._process is not None, "the crew was started"
        return self._process

    @property
    def pid(self) -> int:
        """The id of that process."""
        return self.process.pid

    @property
    def is_ready(self) -> bool:
        """It lives and has said that it works."""
        return not self.process.has_ended and self.said_it_is_ready

    @property
    def said_it_is_ready(self) -> bool:
        """It came as far as working."""
        return self.sign in self.process.log.read_text(errors="replace")

    def start(self) -> None:
        """Start a process in this place, with a log of its own."""
        self.starts += 1
        self.is_doomed = False
        log = self.folder / f"{self.name}.{self.starts}.log"
        self._process = ServerProcess.start(self.command, log=log, cwd=self.cwd, env=self.env)

    def signal(self, what: signal.Signals) -> int:
        """Send a signal that ends the process; return the id of the process it was sent to."""
        self.is_doomed = True
        self.process.send(what)
        return self.pid

    async def is_back(self) -> bool:
        """Wait until the place is held by a process that works."""

        async def ready() -> bool:
            return self.is_ready

        return await until(ready, within_s=STARTS_WITHIN_S)


@define(kw_only=True)
class Crew:
    """All members, supervised.

    Args:
        may_die: asked when a worker was killed by nobody we know; poison jobs do that.
    """

    members: Sequence[Member]
    #: Ends of processes: how, and how often.
    ends: Counter[str] = field(factory=Counter, init=False)
    #: Ends that nobody caused.
    surprises: list[str] = field(factory=list, init=False)
    poison_open: int = field(default=0, init=False)

    def of(self, role: str) -> list[Member]:
        """The members of one role."""
        return [member for member in self.members if member.role == role]

    async def start(self) -> None:
        """Start all, and wait until they work."""
        for member in self.members:
            member.start()
        for member in self.members:
            assert await member.is_back(), f"{member.name} does not start:\n{member.process.last_words()}"

    async def supervise(self) -> None:
        """Start again what ended, until cancelled."""
        while True:
            for member in self.members:
                if member.is_wanted and member.process.has_ended:
                    came_up = member.said_it_is_ready
                    await self._note_end(member, came_up=came_up)
                    if not came_up and not member.is_doomed:
                        await asyncio.sleep(PAUSE_S)
                    member.start()
            await asyncio.sleep(LOOK_EVERY_S)

    async def dismiss(self) -> None:
        """Ask all to end in good order, and count who does not."""
        for member in self.members:
            member.is_wanted = False
            if not member.process.has_ended:
                member.process.terminate()
        for member in self.members:
            code = await member.process.wait(within_s=ENDS_WITHIN_S)
            if code != 0:
                self.surprises.append(f"{member.name} was asked to end at last and exited {code}")

    async def kill(self) -> None:
        """End all at once."""
        for member in self.members:
            member.is_wanted = False
            if member.starts:
                await member.process.kill()

    async def _note_end(self, member: Member, *, came_up: bool) -> None:
        code = await member.process.wait(within_s=1.0)
        if member.is_doomed:
            self.ends[f"{member.role} ended by us, exit {code}"] += 1
        elif code == -signal.SIGKILL and member.role == "worker" and self.poison_open > 0:
            self.ends["worker killed by its job"] += 1
        elif not came_up:
            self.ends[f"{member.role} did not come up, exit {code}"] += 1
        else:
            words = member.process.last_words()[-600:]
            self.surprises.append(f"{member.name} (start {member.starts}) exited {code} by itself:\n{words}")
