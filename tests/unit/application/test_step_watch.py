"""Timing the steps of a coroutine, which must not notice it."""

import asyncio
import inspect
from collections.abc import Coroutine, Iterator
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
        return WatchedSteps(coroutine, stopwatch=self, blocked=self.blocked.append)


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

    await asyncio.gather(_waited(clock.watch(waits())), beside())

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
            await asyncio.Event().wait()
        finally:
            seen.append("closed")

    coroutine = work()
    steps = clock.watch(coroutine).__await__()
    with asyncio.Runner() as runner:
        runner.run(_begin(steps))

    steps.close()

    assert seen == ["closed"], "and not only once nobody knows it any more"
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


async def _waited(steps: WatchedSteps) -> object:
    return await steps


async def _begin(steps: Iterator[Any]) -> None:
    next(steps)


async def test_that_it_waits_is_told_once_and_before_it_does(clock: Stopwatch) -> None:
    told: list[str] = []

    async def work() -> None:
        told.append("begun")
        await asyncio.sleep(0)
        told.append("went on")
        await asyncio.sleep(0)

    await WatchedSteps(
        work(), stopwatch=clock, blocked=clock.blocked.append, waits=lambda: told.append("waits")
    )

    assert told == ["begun", "waits", "went on"]


async def test_what_never_waits_is_told_nothing_of(clock: Stopwatch) -> None:
    told: list[str] = []

    async def work() -> None:
        told.append("done")

    await WatchedSteps(
        work(), stopwatch=clock, blocked=clock.blocked.append, waits=lambda: told.append("waits")
    )

    assert told == ["done"]
