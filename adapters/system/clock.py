"""The machine's own clock."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from attrs import frozen

from jobmill.application.ports.clock import Clock

#: Seconds from any fixed point, finer than the loop's own.
stopwatch: Final = perf_counter


@frozen(kw_only=True)
class SystemClock(Clock):
    """The wall clock of this machine, for stores that judge by it too."""

    def now(self) -> datetime:
        """Return the time in UTC, to the microsecond."""
        return datetime.now(UTC)
