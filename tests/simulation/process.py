"""A process that can be killed and frozen between any two steps, and whose statements are watched."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from attrs import define, field

from tests.nodes import Node
from tests.simulation.loop import SteppingLoop
from tests.simulation.saves import WatchedJobs
from tests.simulation.trace import Told, Trace


@define(eq=False, kw_only=True, slots=False)
class Process(Node):
    """A node under the adversary's hand."""

    trace: Trace
    follows_up: bool = False  # no job of a scenario waits for another
    #: What became ready while it is frozen; None while it runs.
    held: list[asyncio.Handle] | None = None
    steps_left: int = 0
    _then: Callable[[], object] = field(init=False, default=lambda: None)

    def __attrs_post_init__(self) -> None:
        """Listen to what it says, and to what it asks of the store."""
        self.notes = Told(trace=self.trace, who=self.name)
        super().__attrs_post_init__()
        self._killed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        commits = cast("Any", self.commits)
        commits._jobs = WatchedJobs(jobs=self.store.jobs, trace=self.trace, who=self.name)

    @property
    def is_frozen(self) -> bool:
        return self.held is not None

    @property
    def runs_on(self) -> bool:
        """Alive and not frozen."""
        return self.is_alive and self.held is None

    def is_called(self, worker: str | None) -> bool:
        """The name is this process's, with or without the mark of a presence lock."""
        return worker is not None and worker.partition("#")[0] == self.name

    def after(self, steps: int, then: Callable[[], object]) -> None:
        """Do something to it after so many of its own steps."""
        self.steps_left, self._then = steps, then

    def stepped(self) -> None:
        """Note a step, for the loop."""
        self.steps_left -= 1
        if not self.steps_left:
            self._then()

    def freeze(self) -> None:
        """Stop it as SIGSTOP does."""
        if self.runs_on:
            self.held = []

    def thaw(self) -> None:
        """Let it go on."""
        held, self.held = self.held, None
        if held:
            cast("SteppingLoop", asyncio.get_running_loop()).thaw(held)

    @property
    def is_stopping(self) -> bool:
        """A signal has told it to end."""
        return self._stop.is_set()

    async def shut_down(self) -> None:
        """End it as SIGTERM does; its connection ends with it."""
        self._stop.set()
        await asyncio.wait({self._life, self._killed}, return_when=asyncio.FIRST_COMPLETED)
        if self.is_alive:
            self.is_alive = False
            self.bus.disconnect()

    def kill(self) -> None:
        """End it wherever it is; what its tasks still do to themselves reaches nobody."""
        self.steps_left = 0
        if not self._killed.done():
            self._killed.set_result(None)
        super().kill()
        self.thaw()
