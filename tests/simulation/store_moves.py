"""What happens on the way to the store: statements fail, hang and leave doubt; rows are held; time jumps."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from datetime import timedelta
from random import Random
from typing import Any, Final

from jobmill.application.errors import StorageRefused, StorageUnavailable, StorageUnknown
from jobmill.domain.states import JobState

from tests.simulation.process import Process
from tests.simulation.registry import fault
from tests.simulation.stage import Stage

#: What may become of a statement. "doubt": done, and the answer is lost; "lost": not done, and nobody knows.
TROUBLES: Final = ("passes", "no", "lost", "doubt", "slow", "late", "refused")
#: Which statements it is about: all, or those whose name begins so.
STATEMENTS: Final = ("", "jobs.", "jobs.save", "jobs.save", "jobs.add", "leases.", "outbox.", "epochs.")
#: These carry texts that a database may refuse.
REFUSING: Final = ("jobs.add", "jobs.save")
LINES: Final = ("no", "lost", "doubt")


class Trouble:
    """Plagues the statements of one process, one trouble each, until none is left."""

    def __init__(
        self, stage: Stage, process: Process, about: str, troubles: tuple[str, ...], slow_s: float
    ) -> None:
        self._stage = stage
        self._process = process
        self._about = about
        self._left = deque(troubles)
        self._slow_s = slow_s

    def __call__(self, moment: str) -> Awaitable[None] | None:
        when, _, statement = moment.partition(" ")
        if not self._left or not statement.startswith(self._about):
            return None
        if self._left[0] == "refused" and statement not in REFUSING:
            self._left[0] = "passes"
        if self._left[0] == "passes":
            if when == "after":
                self._left.popleft()
            return None
        if (self._left[0] in {"doubt", "late"}) != (when == "after"):
            return None
        return self._make(self._left.popleft(), statement)

    def _make(self, trouble: str, statement: str) -> Awaitable[None] | None:
        self._stage.witness.fault(f"statement {trouble}", statement, who=self._process.name)
        match trouble:
            case "no":
                raise StorageUnavailable("no")
            case "lost":
                raise StorageUnknown("cut off before it was done")
            case "doubt":
                raise StorageUnknown("cut off after it was done")
            case "refused":
                raise StorageRefused("a character that no database takes")
            case _:
                return asyncio.sleep(self._slow_s)


def _statements(dice: Random) -> dict[str, Any]:
    return {
        "who": dice.choice((-1, 0, 0, 1, 2)),
        "about": dice.choice(STATEMENTS),
        "troubles": tuple(dice.choice(TROUBLES) for _ in range(dice.choice((1, 2, 4, 8)))),
        "slow_s": dice.choice((0.3, 4.0, 12.0)),
    }


@fault(_statements)
def statements(stage: Stage, who: int, about: str, troubles: tuple[str, ...], slow_s: float) -> None:
    """The next statements of a process go badly, each in its way."""
    process = stage.one(who)
    process.cable.trouble = Trouble(stage, process, about, troubles, slow_s)


def _outage(dice: Random) -> dict[str, Any]:
    return {"line": dice.choice(LINES), "for_s": dice.choice((1.5, 8.0, 17.0, 40.0))}


@fault(lambda dice: {"who": dice.choice((-1, 0, 1)), **_outage(dice)})
def store_line(stage: Stage, who: int, line: str, for_s: float) -> None:
    """The line of one process to the store is bad for a while."""
    _bad_line(stage, stage.one(who), line, for_s)


@fault(_outage)
def store_outage(stage: Stage, line: str, for_s: float) -> None:
    """The store is away for everybody."""
    for process in (stage.api, *stage.workers):
        _bad_line(stage, process, line, for_s)


def _bad_line(stage: Stage, process: Process, line: str, for_s: float) -> None:
    def trouble(moment: str) -> None:
        if moment.startswith("after" if line == "doubt" else "before"):
            stage.witness.fault(f"line {line}", moment.partition(" ")[2], who=process.name)
            raise StorageUnavailable("no") if line == "no" else StorageUnknown("cut off")

    def end() -> None:
        if process.cable.trouble is trouble:
            process.cable.trouble = lambda _moment: None

    stage.trace.tell(process.name, f"has a bad line to the store ({line}) for {for_s} s")
    process.cable.trouble = trouble
    asyncio.get_running_loop().call_later(for_s, end)


@fault(lambda dice: {"seconds": dice.choice((-30, -5, 5, 8, 30, 600))})
def clock_jumps(stage: Stage, seconds: int) -> None:
    """The store's clock is set."""
    stage.witness.fault("clock jumps", f"{seconds:+} s")
    stage.witness.clock_jumped()
    stage.clock.offset += timedelta(seconds=seconds)


@fault(lambda dice: {"for_s": dice.choice((1.0, 6.0, 12.0, 25.0))})
def rows_are_held(stage: Stage, for_s: float) -> None:
    """Somebody holds the rows of all running jobs, so that renewals skip them."""
    running = {job.id for job in stage.watched.rows.values() if job.state is JobState.PROCESSING}
    if not running:
        return
    stage.witness.fault("rows are held", len(running), f"for {for_s} s")
    stage.tables.locked |= running
    asyncio.get_running_loop().call_later(for_s, stage.tables.locked.difference_update, running)
