"""A shop that runs whatever a test says, in the tasks of a worker."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from attrs import define, field

from jobmill.application.handler_tasks import Ended, HandlerTasks, Runs
from jobmill.application.outcomes import Outcome, Succeeded
from jobmill.application.run import Run

from tests.builders import a_running_job

Work = Callable[[], Coroutine[Any, Any, object]]


@define(eq=False)
class Shop(Runs):
    """Runs whatever the test says, in the order in which it says so, and notes what happened."""

    now_s: float = 0.0
    slots_are_short: bool = True
    works: dict[Run, Work] = field(factory=dict)
    tasks: dict[Run, str] = field(factory=dict)  # by name: whoever holds a task keeps it for its handler
    turns: dict[Run, int] = field(factory=dict)
    settled: list[list[Run]] = field(factory=list)
    over: list[Run] = field(factory=list)
    blocked_s: list[float] = field(factory=list)
    spawned: "list[asyncio.Task[None]]" = field(factory=list)
    turn: int = 0

    def __attrs_post_init__(self) -> None:
        self.handlers = HandlerTasks(
            runs=self,
            stopwatch=lambda: self.now_s,
            begins=lambda _run: None,
            over=self.over.extend,
            spawn=lambda work: self.spawned.append(asyncio.get_running_loop().create_task(work)),
            hurries=lambda: self.slots_are_short,
        )

    def takes(self, *works: Work) -> list[Run]:
        runs = [Run(job=a_running_job(), sent_s=0.0, believes_until_s=1e9) for _ in works]
        self.works |= dict(zip(runs, works, strict=True))
        self.handlers.work_off(runs)
        return runs

    async def passes(self, turns: int = 10) -> None:
        """Let the loop turn so often."""
        for _ in range(turns):
            await asyncio.sleep(0)
            self.turn += 1

    def one_task(self, *runs: Run) -> bool:
        """All of them ran in the same one."""
        return len({self.tasks[run] for run in runs}) == 1

    async def attempt(self, run: Run) -> Outcome | None:
        run.begin()
        assert run.task is not None
        self.tasks[run], self.turns[run] = run.task.get_name(), self.turn
        try:
            return Succeeded(result=str(await self.works[run]()))
        finally:
            run.end()

    def blocked(self, run: Run, took_s: float) -> None:
        self.blocked_s.append(took_s)

    async def settle(self, ended: Sequence[Ended]) -> None:
        self.settled.append([run for run, _ in ended])
        await asyncio.sleep(0)


async def nothing() -> None:
    """End at once."""


async def waits() -> None:
    await asyncio.sleep(1_000)
