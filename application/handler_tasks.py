"""The tasks in which handlers run: one that ends without ever waiting leaves its task to the next."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from sys import getrefcount
from typing import Any, Final, Protocol
from weakref import getweakrefcount

from jobmill.application.outcomes import Outcome
from jobmill.application.run import Run
from jobmill.application.step_watch import STEP_MAX_S, Stopwatch, WatchedSteps

#: After so many runs, or so long, it is everybody else's turn: that of leases, deliveries, other handlers.
TURN_RUNS_MAX: Final = 100
TURN_MAX_S: Final = 0.005
#: From one settlement to the next, while slots are free: fewer and larger statements.
SETTLE_EVERY_S: Final = 0.01

#: A run whose handler has ended, and what came of it; None where nothing is left to be saved.
Ended = tuple[Run, Outcome | None]


class Runs(Protocol):
    """What is done with runs; see ``Runner``."""

    def attempt(self, run: Run) -> Coroutine[Any, Any, Outcome | None]: ...
    def blocked(self, run: Run, took_s: float) -> None: ...
    def settle(self, ended: Sequence[Ended]) -> Coroutine[Any, Any, None]: ...


class HandlerTasks:
    """Works off runs in the order in which they came, and settles together what ended together.

    A handler that never waits costs no task, as the task that called it takes the next run. Once a handler
    waits, its task is its own to the end, and another goes on with the rest; so it is with a handler that has
    cancelled its task or left it with somebody, who may reach for it later. Each handler has a context of its
    own. What has ended is settled when the loop turns, but where slots are free no more often than a hundred
    times a second.

    Args:
        begins: told of each run just before its handler is called.
        over: told of runs that are settled, or never will be.
        spawn: runs a coroutine as a task of the worker's.
        hurries: says whether slots are short.
    """

    def __init__(
        self,
        *,
        runs: Runs,
        stopwatch: Stopwatch,
        begins: Callable[[Run], None],
        over: Callable[[Sequence[Run]], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        hurries: Callable[[], bool],
    ) -> None:
        self._runs = runs
        self._stopwatch = stopwatch
        self._begins = begins
        self._over = over
        self._spawn = spawn
        self._hurries = hurries
        self._waiting: deque[Run] = deque()
        self._is_worked_off = False  # by one task, never by two
        self._types_that_wait: set[str] = set()  # when they were run last; each run gets a task at once
        self._ended: list[Ended] = []
        self._settles_at_s = 0.0  # at the latest, by the loop's clock
        self._is_urgent = asyncio.Event()
        self._now_s = 0.0  # when the last step ended

    def work_off(self, runs: Iterable[Run]) -> None:
        """Run these after all that wait already."""
        self._waiting.extend(runs)
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and not self._is_worked_off:
            self._is_worked_off = True
            self._spawn(self._work())

    async def _work(self) -> None:
        """Take one run after the other, until a handler keeps this task for itself."""
        kept: tuple[Run, WatchedSteps] | None = None
        try:
            kept = await self._first_that_waits()
        finally:
            self._is_worked_off = False
            self._go_on()
        if kept is not None:
            self._types_that_wait.add(kept[0].job.type)
            await self._finish(*kept)

    async def _work_alone(self, run: Run) -> None:
        self._now_s = self._stopwatch()
        steps = self._begin(run, _current_task())
        if steps is None:
            self._types_that_wait.discard(run.job.type)
        else:
            await self._finish(run, steps)

    async def _finish(self, run: Run, steps: WatchedSteps) -> None:
        outcome: Outcome | None = None
        try:
            outcome = await steps
        finally:
            self._has_ended(run, outcome)

    async def _first_that_waits(self) -> tuple[Run, WatchedSteps] | None:
        """Run what ends at once; return the first run that does not, if there is one."""
        task = _current_task()
        while True:
            self._now_s = self._stopwatch()
            turn_ends_s = self._now_s + TURN_MAX_S
            holders = getrefcount(task), getweakrefcount(task)
            for _ in range(TURN_RUNS_MAX):
                run = self._waiting.popleft()
                if run.job.type in self._types_that_wait:
                    self._spawn(self._work_alone(run))
                elif (steps := self._begin(run, task)) is not None:
                    return run, steps
                elif task.cancelling() or (getrefcount(task), getweakrefcount(task)) != holders:
                    return None
                if self._now_s >= turn_ends_s or not self._waiting:
                    break
            if not self._waiting:
                return None
            await asyncio.sleep(0)

    def _begin(self, run: Run, task: "asyncio.Task[None]") -> WatchedSteps | None:
        """Take the first step of a run; return what is left of it, if anything is."""
        began_s = self._now_s
        run.task = task
        self._begins(run)
        context, steps = copy_context(), self._runs.attempt(run)
        outcome: Outcome | None = None
        awaited: object = None
        is_over = True
        try:
            awaited = context.run(steps.send, None)
            is_over = False
        except StopIteration as end:
            outcome = end.value
        finally:
            self._now_s = self._stopwatch()
            if is_over:
                self._has_ended(run, outcome)
            if self._now_s - began_s > STEP_MAX_S:
                self._runs.blocked(run, self._now_s - began_s)
        if is_over:
            return None
        run.waits(self._now_s - began_s)
        blocked = partial(self._runs.blocked, run)
        return WatchedSteps(
            coroutine=steps, awaited=awaited, context=context, stopwatch=self._stopwatch, blocked=blocked
        )

    def _has_ended(self, run: Run, outcome: Outcome | None) -> None:
        run.task = None
        if not self._ended:
            self._spawn(self._settle_what_ended())
        self._ended.append((run, outcome))
        if self._hurries():
            self._is_urgent.set()

    async def _settle_what_ended(self) -> None:
        await self._gather_more()
        ended, self._ended = self._ended, []
        try:
            await self._runs.settle(ended)
        finally:
            self._over([run for run, _ in ended])

    async def _gather_more(self) -> None:
        """Wait a moment for others, if the last settlement was just now and nobody needs the slots."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._settles_at_s:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._settles_at_s):
                    await self._is_urgent.wait()
        self._is_urgent.clear()
        self._settles_at_s = loop.time() + SETTLE_EVERY_S


def _current_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None
    return task
