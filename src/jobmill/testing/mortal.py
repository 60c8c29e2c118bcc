"""A task's coroutine whose process may be killed: from then on it takes no step at all."""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

from attrs import define


@define(eq=False, slots=False)
class Mortal(Coroutine[Any, Any, Any]):
    """Runs as the coroutine does, up to the first await after the death of its process.

    There it stands still, with its ``finally`` blocks unrun, as SIGKILL leaves a process. Once ``may_unwind``
    it can be cancelled like any other, so that nothing is left behind when the test is over.
    """

    work: Any
    runs: Callable[[], bool]
    may_unwind: Callable[[], bool]

    def send(self, value: Any, /) -> Any:  # noqa: ANN401 - whatever the event loop sends
        """Take the next step."""
        return self.work.send(value) if self.runs() else _forever()

    def throw(
        self,
        kind: Any,  # noqa: ANN401
        value: BaseException | object = None,
        trace: TracebackType | None = None,
        /,
    ) -> Any:  # noqa: ANN401
        """Take the next step by an error, mostly a cancellation."""
        if not self.runs() and not self.may_unwind():
            return _forever()
        return self.work.throw(kind if value is None else value)

    def close(self) -> None:
        """End it."""
        self.work.close()

    def __await__(self) -> Any:  # noqa: ANN401 - as the coroutine's own
        """Await the coroutine itself."""
        return self.work.__await__()


def _forever() -> object:
    """Return what a task waits for that waits for ever."""
    return next(iter(asyncio.get_running_loop().create_future()))
