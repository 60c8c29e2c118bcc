"""What happens to processes: they are killed, stopped and frozen at any step, and started again."""

import asyncio
from random import Random

from tests.simulation.process import Process
from tests.simulation.registry import fault
from tests.simulation.stage import Stage

#: Steps into whatever the process does when the move comes.
STEPS = (1, 2, 3, 5, 8, 13, 40)


def _who(dice: Random) -> int:
    return dice.choice((-1, 0, 0, 1, 2))


@fault(
    lambda dice: {"who": _who(dice), "steps": dice.choice(STEPS), "again_s": dice.choice((0.5, 3.0, 20.0))}
)
def kill(stage: Stage, who: int, steps: int, again_s: float) -> None:
    """SIGKILL between two steps; a supervisor starts another one."""
    process = stage.one(who)
    process.after(steps, lambda: dies(stage, process, again_s=again_s))


def dies(stage: Stage, process: Process, *, again_s: float) -> None:
    """End a process now."""
    if not process.is_alive or stage.is_peace:
        return
    stage.witness.fault("kill", who=process.name)
    stage.witness.faults += stage.line.most_copies()
    process.kill()
    if process is stage.api:
        stage.new_api()
    else:
        asyncio.get_running_loop().call_later(again_s, stage.worker)


@fault(lambda dice: {"who": dice.randint(0, 2), "again_s": dice.choice((0.0, 1.0, 9.0))})
def stop(stage: Stage, who: int, again_s: float) -> None:
    """SIGTERM; another one is started."""
    if not stage.workers:
        return
    process = stage.one(who)
    if process.is_stopping:
        return
    stage.witness.fault("stop", who=process.name)
    stage.in_background(process.shut_down())
    asyncio.get_running_loop().call_later(again_s, stage.worker)


@fault(
    lambda dice: {
        "who": _who(dice),
        "steps": dice.choice(STEPS),
        "for_s": dice.choice((0.5, 6.0, 16.0, 33.0)),
        "is_cut": dice.random() < 0.3,
    }
)
def freeze(stage: Stage, who: int, steps: int, for_s: float, is_cut: bool) -> None:
    """SIGSTOP between two steps, SIGCONT later; meanwhile its connections may be given up."""
    process = stage.one(who)
    loop = asyncio.get_running_loop()

    def begin() -> None:
        if not process.runs_on or stage.is_peace:
            return
        stage.witness.fault("freeze", f"{for_s} s", who=process.name)
        process.freeze()
        if is_cut:
            stage.witness.faults += stage.line.most_copies()
            process.bus.disconnect()
            process.store.presence.sever()
        loop.call_later(for_s, end)

    def end() -> None:
        stage.trace.tell(process.name, "thaws")
        process.thaw()
        if is_cut and process.is_alive:
            process.bus.reconnect()

    process.after(steps, begin)


@fault(lambda dice: {"who": dice.randint(0, 2)})
def presence_cut(stage: Stage, who: int) -> None:
    """The connection that shows it alive is cut."""
    process = stage.one(who)
    stage.witness.fault("presence cut", who=process.name)
    process.store.presence.sever()


@fault(lambda _dice: {})
def one_more(stage: Stage) -> None:
    """A worker joins."""
    if len(stage.workers) < 4:
        stage.witness.fault("one more worker")
        stage.worker()


def mended(*processes: Process) -> None:
    """Let processes run on for good, with good lines."""
    for process in processes:
        process.steps_left = 0
        process.cable.trouble = lambda _moment: None
        process.bus.faults = lambda _moment, _parcel: None
        process.thaw()
        process.bus.reconnect()
