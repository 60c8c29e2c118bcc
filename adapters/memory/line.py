"""One lane of the in-process broker: messages in order, and who waits for the next."""

import asyncio
from collections import deque

from attrs import define, evolve, field

from jobmill.adapters.memory.message import Message


@define(kw_only=True, eq=False)
class Line:
    """First in, first out. Each message wakes one of those who wait, in turn; nobody looks in vain.

    ``exists`` is False where no such queue was declared: one may wait there, and nothing comes.
    """

    exists: bool = True
    ready: deque[Message] = field(factory=deque)
    _bells: deque[asyncio.Future[None]] = field(init=False, factory=deque)

    def put(self, message: Message) -> None:
        """Add a message at the end."""
        self.ready.append(message)
        self.ring()

    def put_back(self, message: Message) -> None:
        """Add a message at the front: it was on its way before and comes next."""
        self.ready.appendleft(evolve(message, is_redelivered=True))
        self.ring()

    def ring(self) -> None:
        """Wake the one who waits longest, if there is anything to take."""
        while self.ready and self._bells:
            bell = self._bells.popleft()
            if not bell.done():
                bell.set_result(None)
                return

    def wait(self, bell: asyncio.Future[None]) -> None:
        """Ring ``bell`` when it is its turn."""
        self._bells.append(bell)
        self.ring()

    def leave(self, bell: asyncio.Future[None]) -> None:
        """Wait no longer. A ring that came meanwhile goes to the next, who may need it."""
        if bell in self._bells:
            self._bells.remove(bell)
        self.ring()
