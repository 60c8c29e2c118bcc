"""The copies of dead letters that lie in the broker, for other tools to look at."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

#: Says of message bodies, by position, which are still wanted.
Judge = Callable[[Sequence[bytes]], Awaitable[Sequence[bool]]]


class DeadCopies(Protocol):
    """One line of copies for each queue. Raises ``BrokerUnavailable``."""

    async def count_copies(self, queues: Sequence[str]) -> Mapping[str, int | None]:
        """Count the copies that lie there for each queue; None where there is no place for them."""
        ...

    async def sift(self, queue: str, *, limit: int, judge: Judge) -> int:
        """Take up to ``limit`` copies from the front, and put what is wanted to the end; the rest is gone.

        So whoever goes on with as many as were counted has seen them all. What is wanted is never lost, and
        may be doubled if the broker is cut off. Whatever the judge raises is passed on, and what was taken
        goes back to the front. Returns how many were taken.
        """
        ...
