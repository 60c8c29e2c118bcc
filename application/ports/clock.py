"""The only sources of time and chance."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """The store's clock, as well as this process can know it. Durations are measured by the event loop."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...


class Entropy(Protocol):
    """Chance."""

    def job_id(self) -> UUID:
        """Return a new id (UUID version 7, RFC 9562); later ids sort later, also within a millisecond."""
        ...

    def stamp(self) -> int:
        """Return 64 random bits as a signed integer."""
        ...

    def fraction(self) -> float:
        """Return a uniform fraction in [0, 1)."""
        ...
