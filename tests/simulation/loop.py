"""An event loop that counts the steps of each process, and can hold a process still."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from heapq import heappush
from typing import TYPE_CHECKING, Any, Final, TypeVarTuple, Unpack

from jobmill.adapters.memory.ladder import Ladder

from tests.nodes import NODE
from tests.virtual_time import Stuck, VirtualTimeLoop

if TYPE_CHECKING:
    from tests.simulation.process import Process

#: A usual run has some thousands.
TURNS_MAX: Final = 300_000

Ts = TypeVarTuple("Ts")


def _run(handle: asyncio.Handle, run: Callable[[], object]) -> None:
    """Take one step in the name of the process it belongs to: nothing of a frozen one runs."""
    process: Process | None = handle._context.get(NODE)  # type: ignore[attr-defined]
    if process is None:
        run()
    elif process.held is not None:
        process.held.append(handle)
    else:
        run()
        if process.steps_left:
            process.stepped()


class _Step(asyncio.Handle):
    __slots__ = ()

    def _run(self) -> None:
        _run(self, super()._run)


class _TimedStep(asyncio.TimerHandle):
    __slots__ = ()

    def _run(self) -> None:
        _run(self, super()._run)


class SteppingLoop(VirtualTimeLoop):
    """Virtual time, in which a process can be stopped between any two of its steps.

    A step is whatever runs between two awaits. What becomes ready in a frozen process is kept, timers
    included, and happens at once when it thaws: as after SIGSTOP and SIGCONT, the clock went on meanwhile.
    """

    def __init__(self) -> None:
        self._outside = Context()
        self._turns = 0
        super().__init__()

    def begin_again(self) -> None:
        """Count turns from here."""
        self._turns = 0

    def _run_once(self) -> None:
        """Turn once more, but not for ever: a run that spins would never come to its end."""
        self._turns += 1
        if self._turns > TURNS_MAX:
            raise Stuck(f"{TURNS_MAX:,} turns of the loop, and the run has not ended")
        super()._run_once()  # type: ignore[misc]

    def thaw(self, held: list[asyncio.Handle]) -> None:
        """Let happen now what was kept."""
        self._ready.extend(held)  # type: ignore[attr-defined]

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: Unpack[Ts],  # noqa: UP044 - as the loop itself has it
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer of the process that runs; the broker's own timers belong to nobody."""
        if isinstance(getattr(callback, "__self__", None), Ladder):
            context = self._outside
        timer = _TimedStep(when, callback, args, self, context)
        heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def _call_soon(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> asyncio.Handle:
        handle = _Step(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle
