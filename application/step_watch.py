"""Timing each step of a coroutine: a long one holds up everything else on its event loop."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final

#: A step that takes longer is named.
STEP_MAX_S: Final = 1.0

#: Returns seconds from any fixed point.
Stopwatch = Callable[[], float]


def _nothing() -> None:
    """Do without being told."""


class WatchedSteps:
    """A coroutine to be awaited, each of whose steps from one await to the next is timed.

    Args:
        blocked: told how many seconds a step took, when it took more than ``STEP_MAX_S``.
        waits: told once, when the coroutine awaits something for the first time.
    """

    __slots__ = ("_blocked", "_coroutine", "_stopwatch", "_waits")

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        *,
        stopwatch: Stopwatch,
        blocked: Callable[[float], None],
        waits: Callable[[], object] = _nothing,
    ) -> None:
        self._coroutine = coroutine
        self._stopwatch = stopwatch
        self._blocked = blocked
        self._waits = waits

    def __await__(self) -> Generator[Any, Any, Any]:
        """Drive the coroutine as its own ``await`` would."""
        stopwatch, send, throw = self._stopwatch, self._coroutine.send, self._coroutine.throw
        given: Any = None
        error: BaseException | None = None
        has_waited = False
        while True:
            began_s = stopwatch()
            try:
                awaited = send(given) if error is None else throw(error)
            except StopIteration as end:
                return end.value
            finally:
                took_s = stopwatch() - began_s
                if took_s > STEP_MAX_S:
                    self._blocked(took_s)
            error = None
            if not has_waited:
                has_waited = True
                self._waits()
            try:
                given = yield awaited
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as thrown:  # noqa: BLE001 - whatever it is, it is the coroutine's
                error = thrown
