"""An event loop whose time jumps: where nothing is ready, the next timer is due at once.

Minutes pass in milliseconds, and a run takes the same course every time. Three ways to use it::

    run_virtually(scenario())  # anywhere, also inside a property


    @virtually  # one asynchronous test; its fixtures are synchronous ones
    async def test_a_retry_waits_two_seconds() -> None: ...


    # all asynchronous tests and fixtures of a folder, in its conftest.py
    def pytest_asyncio_loop_factories(config, item):
        return {"virtual": VirtualTimeLoop}

Time stands still while a thread works for the loop (``run_in_executor``, ``asyncio.to_thread``), so no
timeout fires because a thread took a moment of real time.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from functools import wraps
from selectors import BaseSelector, DefaultSelector, SelectorKey
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

Answer = TypeVar("Answer")
Args = ParamSpec("Args")

#: Real seconds for a thread or a socket to say something before the loop gives up.
STUCK_AFTER_S: Final = 10.0
#: A run that is longer than this many virtual seconds has lost its way: a year.
FOREVER_S: Final = 366 * 86_400.0
#: asyncio fires a timer that is due within so much.
TOLERANCE_S: Final = time.get_clock_info("monotonic").resolution


class Stuck(Exception):
    """Every task waits, no timer is set, and nothing comes from outside."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector loop with a clock of its own, which starts at 0 s."""

    def __init__(self, *, stuck_after_s: float = STUCK_AFTER_S) -> None:
        self._seconds = 0.0
        self._threads_at_work = 0
        self._awaiting_stillness: list[asyncio.Future[None]] = []
        super().__init__(_JumpingSelector(self, stuck_after_s=stuck_after_s))

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._seconds

    def jump(self, seconds: float) -> None:
        """Let time pass without anything happening.

        Raises:
            Stuck: the run has become longer than a year.
        """
        self._seconds += seconds
        if self._seconds + TOLERANCE_S == self._seconds:
            # So late that the loop's own tolerance is lost in rounding: a timer fires only once it is past.
            self._seconds = math.nextafter(self._seconds, math.inf)
        if self._seconds > FOREVER_S:
            raise Stuck("a year has passed, and the run has not ended")

    async def stillness(self) -> None:
        """Return when all is done that can be done without time: the next thing to happen is a timer."""
        waiting: asyncio.Future[None] = self.create_future()
        self._awaiting_stillness.append(waiting)
        await waiting

    def falls_still(self) -> bool:
        """Wake those who wait for stillness; False where nobody does."""
        waiting, self._awaiting_stillness = self._awaiting_stillness, []
        for each in waiting:
            if not each.done():
                each.set_result(None)
        return bool(waiting)

    @property
    def waits_for_threads(self) -> bool:
        """A thread works for the loop at this moment."""
        return self._threads_at_work > 0

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., Answer], *args: object
    ) -> "asyncio.Future[Answer]":
        """Start a call in a thread and hold the time until it is back."""
        self._threads_at_work += 1
        call: asyncio.Future[Answer] = super().run_in_executor(executor, func, *args)
        call.add_done_callback(self._thread_is_back)
        return call

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait until the threads have ended, in real time: from Python 3.12 on there is a timer beside it."""
        self._threads_at_work += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._threads_at_work -= 1

    def _thread_is_back(self, _call: "asyncio.Future[Any]") -> None:
        self._threads_at_work -= 1


class _JumpingSelector(BaseSelector):
    """Asks the real selector without waiting, and lets the time jump where that would have waited."""

    def __init__(self, loop: VirtualTimeLoop, *, stuck_after_s: float) -> None:
        self._loop = loop
        self._stuck_after_s = stuck_after_s
        self._real = DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        events = self._real.select(0)
        if events or timeout == 0:
            return events
        if not self._loop.waits_for_threads and self._loop.falls_still():
            return []
        if timeout is None or self._loop.waits_for_threads:
            return self._wait_for_the_world()
        self._loop.jump(timeout)
        return []

    def _wait_for_the_world(self) -> list[tuple[SelectorKey, int]]:
        events = self._real.select(self._stuck_after_s)
        if not events:
            raise Stuck("every task waits, and nothing comes that could wake one")
        return events

    def register(self, fileobj: "FileDescriptorLike", events: int, data: object = None) -> SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: "FileDescriptorLike") -> SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: "FileDescriptorLike", events: int, data: object = None) -> SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping["FileDescriptorLike", SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


def run_virtually(main: Coroutine[Any, Any, Answer]) -> Answer:
    """Run ``main`` to its end on a new loop with virtual time, and return what it returns.

    Raises:
        Stuck: it can never end.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def virtually(test: Callable[Args, Coroutine[Any, Any, Answer]]) -> Callable[Args, Answer]:
    """Make a synchronous test of an asynchronous one, run with virtual time."""

    @wraps(test)
    def run(*args: Args.args, **kwargs: Args.kwargs) -> Answer:
        return run_virtually(test(*args, **kwargs))

    return run
