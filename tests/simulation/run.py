"""Playing a scenario: the moves, then peace, then judgement."""

import asyncio
from collections import Counter
from functools import partial
from typing import Any, Final, cast

from attrs import frozen

from tests.simulation import moves, requests
from tests.simulation.account import Account
from tests.simulation.loop import SteppingLoop
from tests.simulation.oracle import everything_is_over, judge_the_end
from tests.simulation.process_moves import mended
from tests.simulation.scenario import Scenario, draw
from tests.simulation.stage import Stage
from tests.simulation.trace import Trace
from tests.virtual_time import Stuck

#: So long everything may take once the faults are over: a dozen jobs of 20 s and three attempts in one slot,
#: lapsed leases, and the patience of new leaders.
PEACE_S: Final = 1_500.0
LOOK_EVERY_S: Final = 0.5
#: What is cancelled may start something as it ends, which is cancelled in its turn.
ROUNDS_MAX: Final = 10


@frozen(kw_only=True)
class Report:
    """What came of a run."""

    scenario: Scenario
    broken: tuple[str, ...]
    account: Account | None
    seen: Counter[str]
    trace: tuple[str, ...]
    took_s: float


def play_seed(seed: int) -> Report:
    """Draw a seed's scenario and play it."""
    return play(draw(seed))


def play(scenario: Scenario, *, keeps_trace: bool = False) -> Report:
    """Play a scenario to its end; the trace is written out where something broke, or where it is wanted."""
    trace = Trace()
    loop = SteppingLoop()
    try:
        return loop.run_until_complete(_play(scenario, trace, keeps_trace=keeps_trace))
    except Stuck as error:
        return Report(
            scenario=scenario,
            broken=(f"invariant 12: the run never ends ({error})",),
            account=None,
            seen=trace.seen,
            trace=tuple(trace.written()),
            took_s=loop.time(),
        )
    finally:
        _put_away(loop)


def _put_away(loop: SteppingLoop) -> None:
    """Cancel what is left, and what that starts once more in its last moments."""
    loop.begin_again()
    try:
        for _ in range(ROUNDS_MAX):
            left = asyncio.all_tasks(loop)
            for task in left:
                cast("Any", task)._log_destroy_pending = False
                task.cancel()
            if not left:
                break
            try:
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            except Stuck:
                pass  # one of them waits for what another has just started, which is next
    finally:
        loop.close()


async def _play(scenario: Scenario, trace: Trace, *, keeps_trace: bool) -> Report:
    stage = Stage(scenario=scenario, trace=trace, seed=scenario.seed)
    stage.work = partial(requests.work, stage)
    account = None
    try:
        await _storm(stage)
        await _peace(stage)
        account = judge_the_end(stage)
    finally:
        for process in (stage.api, *stage.workers):
            process.kill()
        stage.broker.stop()
    broken = tuple(stage.witness.broken)
    return Report(
        scenario=scenario,
        broken=broken,
        account=account,
        seen=stage.trace.seen,
        trace=tuple(stage.trace.written()) if broken or keeps_trace else (),
        took_s=asyncio.get_running_loop().time(),
    )


async def _storm(stage: Stage) -> None:
    loop = asyncio.get_running_loop()
    for move in stage.scenario.moves:
        await asyncio.sleep(max(0.0, move.at_s - loop.time()))
        moves.play(stage, move.kind, move.what)
        if stage.witness.broken:
            return
    await asyncio.sleep(max(0.0, stage.scenario.length_s - loop.time()))


async def _peace(stage: Stage) -> None:
    """End all faults; what is on its way arrives, and everything has to come to its end."""
    stage.is_peace = True
    stage.trace.tell("adversary", "has had enough")
    mended(stage.api, *stage.workers)
    stage.tables.locked.clear()
    if "default" not in stage.line.dead:
        stage.line.add_queue("default")
        stage.line.epoch = None
    while stage.line.late:
        stage.line._arrive(stage.line.late.pop(0))
    if all(process.is_stopping for process in stage.workers):
        stage.worker()
    loop = asyncio.get_running_loop()
    end_s = loop.time() + PEACE_S
    while not (everything_is_over(stage) or stage.witness.broken):  # in virtual time looking costs nothing
        if loop.time() >= end_s:
            return
        await asyncio.sleep(LOOK_EVERY_S)
