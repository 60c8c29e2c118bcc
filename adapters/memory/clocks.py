"""Clocks that a test moves."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import define, frozen

from jobmill.application.ports.clock import Clock

#: No meaning: a round time, far enough from any real one to be noticed.
START: Final = datetime(2030, 1, 1, tzinfo=UTC)


@frozen(kw_only=True)
class LoopClock(Clock):
    """Goes with the running event loop, so that a loop with virtual time moves it too."""

    start: datetime = START

    def now(self) -> datetime:
        """Return the start plus the loop's own time."""
        return self.start + timedelta(seconds=asyncio.get_running_loop().time())


@define(kw_only=True)
class ManualClock(Clock):
    """Stands still until it is moved; it may be moved back as well."""

    time: datetime = START

    def now(self) -> datetime:
        """Return the time last set."""
        return self.time

    def set(self, time: datetime) -> None:
        """Jump to ``time``, which has a time zone."""
        self.time = time

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self.time += by
