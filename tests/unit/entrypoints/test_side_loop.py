"""A loop beside the main one."""

import asyncio
import threading

import pytest
import uvloop

from jobmill.entrypoints.side_loop import run_aside


async def test_it_goes_on_while_the_main_loop_is_blocked() -> None:
    turns = threading.Semaphore(0)

    async def work() -> None:
        while True:
            turns.release()
            await asyncio.sleep(0)

    task = asyncio.create_task(run_aside(work))
    await asyncio.sleep(0)

    for _ in range(100):
        assert turns.acquire(timeout=10), "blocks this loop until the other has turned"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelling_it_cancels_the_work_and_waits_for_its_end() -> None:
    began, ended = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(run_aside(work))
    assert await asyncio.to_thread(began.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ended.is_set()


async def test_its_fault_is_raised_here() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run_aside(work)


def test_the_loops_of_both_kinds_count_from_the_same_moment() -> None:
    """Moments of one are compared with moments of the other."""
    main, side = uvloop.new_event_loop(), asyncio.new_event_loop()

    assert abs(main.time() - side.time()) < 60

    main.close()
    side.close()


async def test_it_may_end_by_itself() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    await run_aside(work)
