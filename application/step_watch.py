"""Timing each step of a coroutine: a long one holds up everything else on its event loop."""

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, Final

from attrs import frozen

#: A step that takes longer is named.
STEP_MAX_S: Final = 1.0

#: The event that names it: its ``type`` is the job's, its ``seconds`` how long the step took.
BLOCKED: Final = "handler blocked the loop"

#: Returns seconds from any fixed point.
Stopwatch = Callable[[], float]


@frozen(kw_only=True)
class WatchedSteps:
    """What is left of a coroutine that has begun to wait, to be awaited; each of its steps is timed.

    Args:
        coroutine: the one.
        awaited: what it yielded last.
        context: in which it runs.
        blocked: told how many seconds a step took, when it took more than ``STEP_MAX_S``.
    """

    coroutine: Coroutine[Any, Any, Any]
    awaited: object
    context: Context
    stopwatch: Stopwatch
    blocked: Callable[[float], None]

    def __await__(self) -> Generator[Any, Any, Any]:
        """Drive the coroutine as its own ``await`` would."""
        stopwatch, step_in = self.stopwatch, self.context.run
        send, throw = self.coroutine.send, self.coroutine.throw
        awaited = self.awaited
        while True:
            given: Any = None
            error: BaseException | None = None
            try:
                given = yield awaited
            except GeneratorExit:
                step_in(self.coroutine.close)
                raise
            except BaseException as thrown:  # noqa: BLE001 - whatever it is, it is the coroutine's
                error = thrown
            began_s = stopwatch()
            try:
                awaited = step_in(send, given) if error is None else step_in(throw, error)
            except StopIteration as end:
                return end.value
            finally:
                took_s = stopwatch() - began_s
                if took_s > STEP_MAX_S:
                    self.blocked(took_s)


async def timed(
    coroutine: Coroutine[Any, Any, Any], *, stopwatch: Stopwatch, blocked: Callable[[float], None]
) -> Any:  # noqa: ANN401 - whatever the coroutine returns
    """Await a coroutine in a context of its own, each of its steps timed, from the first on."""
    context, began_s = copy_context(), stopwatch()
    try:
        awaited = context.run(coroutine.send, None)
    except StopIteration as end:
        return end.value
    finally:
        took_s = stopwatch() - began_s
        if took_s > STEP_MAX_S:
            blocked(took_s)
    return await WatchedSteps(
        coroutine=coroutine, awaited=awaited, context=context, stopwatch=stopwatch, blocked=blocked
    )
