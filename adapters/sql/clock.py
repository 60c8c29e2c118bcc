"""A clock that shows the database's time between two questions to it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from jobmill.application.ports.clock import Clock

#: How much a host's monotonic clock may gain or lose; generous, for quartz keeps within 0.00005.
DRIFT: Final = 0.0001
#: A smaller step back is no news but noise: the clock stands still until its time has come.
STEP_BACK: Final = timedelta(seconds=1)


@frozen(kw_only=True)
class Sample:
    """One answer of the database.

    Args:
        shown: what it said.
        at_s: when the answer was here, by the monotonic clock in seconds.
        error_s: how much earlier than that the database may have said it.
    """

    shown: datetime
    at_s: float
    error_s: float

    def reaches(self, at_s: float) -> datetime:
        """Return the database's time at a moment of the monotonic clock; behind it rather than ahead."""
        return self.shown + timedelta(seconds=at_s - self.at_s)

    def error_at(self, at_s: float) -> float:
        """Return how far off it may be by then, in seconds."""
        return self.error_s + DRIFT * (at_s - self.at_s)


@define(kw_only=True)
class DatabaseClock(Clock):
    """The most exact sample of late, and the monotonic time since.

    It is behind the database by at most the round trip of that sample, and not ahead of it, so that a job
    made due now is due for the database as well.
    """

    _monotonic: Callable[[], float]
    _best: Sample
    _latest: datetime = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin at the first sample."""
        self._latest = self._best.shown

    def now(self) -> datetime:
        """See ``Clock``."""
        reached = self._best.reaches(self._monotonic())
        if not timedelta(0) < self._latest - reached < STEP_BACK:
            self._latest = reached
        return self._latest

    def learn(self, sample: Sample) -> None:
        """Take a sample if it is more exact by now than the one in use, or shows that one to be wrong.

        A database that was replaced by its standby, or a host that slept, makes the old one wrong.
        """
        at_s = sample.at_s
        gap_s = abs((sample.shown - self._best.reaches(at_s)).total_seconds())
        old_error_s = self._best.error_at(at_s)
        if sample.error_s <= old_error_s or gap_s > old_error_s + sample.error_s:
            self._best = sample
