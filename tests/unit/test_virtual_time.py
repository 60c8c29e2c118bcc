"""The loop that other tests trust to pass the time."""

import asyncio
import itertools
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from jobmill.adapters.memory import LoopClock

from tests.virtual_time import Stuck, VirtualTimeLoop, run_virtually, virtually

DAY_S = 86_400.0


def test_a_day_passes_at_once() -> None:
    async def scenario() -> float:
        await asyncio.sleep(DAY_S)
        return asyncio.get_running_loop().time()

    started = time.monotonic()

    assert run_virtually(scenario()) == DAY_S
    assert time.monotonic() - started < DAY_S / 10


def test_every_run_begins_at_zero() -> None:
    async def scenario() -> float:
        return asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == run_virtually(scenario()) == 0.0


def test_time_stands_still_while_anybody_works() -> None:
    async def scenario() -> float:
        for _ in range(1_000):
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == 0.0


def test_timers_fire_in_the_order_of_their_times() -> None:
    heard: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        heard.append((name, asyncio.get_running_loop().time()))

    async def scenario() -> None:
        await asyncio.gather(sleeper("c", 3), sleeper("a", 0.001), sleeper("b", 2))

    run_virtually(scenario())

    assert heard == [("a", 0.001), ("b", 2), ("c", 3)]


def test_a_timeout_fires_at_its_time() -> None:
    async def scenario() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == 60


def test_what_comes_first_wins() -> None:
    async def scenario() -> str:
        async with asyncio.timeout(60):
            await asyncio.sleep(59.999)
        return "slept"

    assert run_virtually(scenario()) == "slept"


def test_a_run_takes_the_same_course_every_time() -> None:
    async def scenario() -> list[int]:
        order: list[int] = []

        async def step(number: int) -> None:
            for turn in range(3):
                await asyncio.sleep((number * 7 + turn) % 5 / 10)
                order.append(number)

        await asyncio.gather(*(step(number) for number in range(20)))
        return order

    assert run_virtually(scenario()) == run_virtually(scenario())


def test_a_run_that_can_never_end_is_told_so() -> None:
    async def scenario() -> None:
        await asyncio.Event().wait()

    loop = VirtualTimeLoop(stuck_after_s=0.01)
    with pytest.raises(Stuck, match="every task waits"), asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(scenario())


def test_a_run_that_only_passes_the_time_is_told_so() -> None:
    async def scenario() -> None:
        for _ in itertools.count():
            await asyncio.sleep(DAY_S)

    with pytest.raises(Stuck, match="a year"):
        run_virtually(scenario())


def test_late_in_the_year_timers_still_fire() -> None:
    async def scenario() -> float:
        await asyncio.sleep(300 * DAY_S)
        for _ in range(10):
            await asyncio.sleep(0.1)
        return asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == pytest.approx(300 * DAY_S + 1)


def test_an_error_of_the_scenario_comes_out() -> None:
    async def scenario() -> None:
        await asyncio.sleep(1)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run_virtually(scenario())


def test_time_waits_for_threads() -> None:
    may_go_on = threading.Event()

    def work() -> str:
        return "done" if may_go_on.wait(10) else "never allowed"

    async def scenario() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(1):
            working = asyncio.create_task(asyncio.to_thread(work))
            for _ in range(10):
                await asyncio.sleep(0)
            may_go_on.set()
            answer = await working
        return answer, loop.time()

    assert run_virtually(scenario()) == ("done", 0.0)


def test_after_a_thread_the_time_goes_on() -> None:
    async def scenario() -> float:
        await asyncio.to_thread(lambda: None)
        await asyncio.sleep(5)
        return asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == 5


def test_streams_work_while_time_jumps() -> None:
    async def scenario() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return line

    assert run_virtually(scenario()) == b"hello\n"


def test_a_loop_clock_goes_with_it() -> None:
    clock = LoopClock(start=datetime(2030, 1, 1, tzinfo=UTC))

    async def scenario() -> timedelta:
        before = clock.now()
        await asyncio.sleep(90.5)
        return clock.now() - before

    assert run_virtually(scenario()) == timedelta(seconds=90.5)


@pytest.fixture
def fortnight_s() -> float:
    return 14 * DAY_S


@virtually
async def test_a_whole_test_can_run_virtually(fortnight_s: float) -> None:
    await asyncio.sleep(fortnight_s)

    assert asyncio.get_running_loop().time() == fortnight_s
