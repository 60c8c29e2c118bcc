"""Messages that wait for their time, each by a timer of the event loop."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from attrs import define, field

from jobmill.adapters.memory.message import Message

#: The loop's clock and the store's may be a little apart, and a loop may round its timers. A notice that came
#: before its job is due would be of no use.
MARGIN_S: Final = 0.02


@define(kw_only=True, eq=False)
class Ladder:
    """Holds each message for its own delay, by the loop's time; it is neither early nor a rung late."""

    arrive: Callable[[Message], None]
    _timers: dict[Message, asyncio.TimerHandle] = field(init=False, factory=dict)

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._timers)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Those that wait, in the order in which they came."""
        return tuple(self._timers)

    def hold(self, message: Message, delay: timedelta) -> None:
        """Let the message arrive after ``delay``; a negative one counts as none."""
        loop = asyncio.get_running_loop()
        due = loop.time() + max(0.0, delay.total_seconds()) + MARGIN_S
        self._timers[message] = loop.call_at(due, self._let_go, message)

    def drop(self, message: Message) -> None:
        """Forget a message that waits."""
        self._timers.pop(message).cancel()

    def _let_go(self, message: Message) -> None:
        del self._timers[message]
        self.arrive(message)
