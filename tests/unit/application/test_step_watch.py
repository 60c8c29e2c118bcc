"""Timing the steps of a coroutine, which must not notice it."""

import asyncio
import inspect
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from attrs import define, field

from jobmill.application.step_watch import STEP_MAX_S, WatchedSteps


@define
class Stopwatch:
    """Shows a time that only the test moves on."""

    now_s: float = 0.0
    blocked: list[float] = field(factory=list)

    def __call__(self) -> float:
        return self.now_s

    def watch(self, coroutine: Coroutine[Any, Any, Any]) -> WatchedSteps:
        """Take the first step, as ``HandlerTasks`` does, and return the rest."""
        context = copy_context()
        awaited = context.run(coroutine.send, None)
        return WatchedSteps(
            coroutine=coroutine, awaited=awaited, context=context, stopwatch=self, blocked=self.blocked.append
        )


@pytest.fixture
def clock() -> Stopwatch:
    return Stopwatch()


async def test_a_step_that_is_too_long_is_told(clock: Stopwatch) -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        clock.now_s += 1.5
        await asyncio.sleep(0)
        return "done"

    assert await clock.watch(work()) == "done"

    assert clock.blocked == [1.5]


async def test_the_last_step_counts_too_even_if_it_fails(clock: Stopwatch) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        clock.now_s += 2
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        await clock.watch(work())

    assert clock.blocked == [2]


async def test_short_steps_and_long_waits_are_nobodys_business(clock: Stopwatch) -> None:
    async def waits() -> None:
        for _ in range(10):
            clock.now_s += STEP_MAX_S
            await asyncio.sleep(0)

    async def beside() -> None:
        clock.now_s += 60

    steps = clock.watch(waits())
    clock.now_s += 60
    await asyncio.gather(_waited(steps), beside())

    assert clock.blocked == []


async def test_a_cancellation_reaches_the_coroutine_where_it_waits(clock: Stopwatch) -> None:
    seen: list[str] = []

    async def work() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
        await asyncio.sleep(0)
        return "cleaned up"

    task = asyncio.create_task(_waited(clock.watch(work())))
    await asyncio.sleep(0)
    task.cancel()

    assert await task == "cleaned up"
    assert seen == ["cancelled"]


async def test_an_error_of_what_is_awaited_is_raised_in_the_coroutine(clock: Stopwatch) -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("inner")

    async def work() -> str:
        try:
            await asyncio.create_task(fails())
        except KeyError as error:
            return str(error)
        return "nothing"

    assert await clock.watch(work()) == "'inner'"


def test_a_coroutine_that_is_given_up_is_closed(clock: Stopwatch) -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            seen.append("closed")

    coroutine = work()
    steps = clock.watch(coroutine).__await__()
    next(steps)

    steps.close()

    assert seen == ["closed"], "and not only once nobody knows it any more"
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


async def _waited(steps: WatchedSteps) -> object:
    return await steps


SEEN: ContextVar[str] = ContextVar("seen", default="nothing")


async def test_every_step_runs_in_the_coroutines_own_context(clock: Stopwatch) -> None:
    async def work() -> str:
        SEEN.set("mine")
        await asyncio.sleep(0)
        return SEEN.get()

    assert await clock.watch(work()) == "mine"
    assert SEEN.get() == "nothing"
