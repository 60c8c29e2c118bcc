"""What a contender's program offers to whoever submits jobs."""

from collections.abc import Sequence
from typing import Any, Protocol

Payload = dict[str, Any]


class Producer(Protocol):
    """Submits on a loop."""

    async def open(self, *, in_flight: int) -> None:
        """Connect, for as many submissions at once."""
        ...

    async def submit(self, payload: Payload) -> None:
        """Return when the job is kept: stored, or confirmed by the broker."""
        ...

    async def submit_batch(self, payloads: Sequence[Payload]) -> None:
        """Return when all are kept; ``NotImplementedError`` where there is no such call."""
        ...

    async def close(self) -> None: ...


class ThreadedProducer(Protocol):
    """Submits from threads, since its library blocks."""

    def open(self, *, in_flight: int) -> None: ...

    def submit(self, payload: Payload) -> None:
        """Return when the broker has confirmed the job."""
        ...

    def close(self) -> None: ...
