"""When calls to a provider are not made at all, and how it is found out that they may be made again."""

from datetime import datetime, timedelta
from enum import Enum

from attrs import evolve, field, frozen

from jobmill.domain.call_window import SLOT, CallWindow
from jobmill.domain.errors import Fault, InvalidInput


class BreakerState(Enum):
    """Closed: calls are made. Open: none is. Half-open: one at a time tries whether the provider is back."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@frozen(kw_only=True)
class BreakerPolicy:
    """When a breaker opens, for how long, and when it closes.

    Args:
        window: how far back calls count, one slot of ``CallWindow`` or more.
        calls_min: with fewer calls in the window it never opens, 1 or more.
        failure_share: of the calls in the window, from which on it opens, above 0 to 1.
        open_for: how long no call is made the first time; doubled each time the provider is not back.
        open_max: the longest that it gets, not below ``open_for``.
        closes_after: probes in a row that have to succeed, 1 or more.
        probe_within: a probe that was not answered in this time is given to somebody else.

    Raises:
        InvalidInput: a value is out of its range.
    """

    window: timedelta = timedelta(seconds=30)
    calls_min: int = 10
    failure_share: float = 0.5
    open_for: timedelta = timedelta(seconds=30)
    open_max: timedelta = timedelta(seconds=60)
    closes_after: int = 2
    probe_within: timedelta = timedelta(seconds=15)

    def __attrs_post_init__(self) -> None:
        """Refuse nonsense, all of it at once."""
        rules = (
            ("window", self.window >= SLOT, f"must be at least {SLOT.total_seconds():g} s"),
            ("calls_min", self.calls_min >= 1, "must be 1 or more"),
            ("failure_share", 0 < self.failure_share <= 1, "must be above 0 and at most 1"),
            ("open_for", timedelta(0) < self.open_for <= self.open_max, "must be above 0, up to open_max"),
            ("closes_after", self.closes_after >= 1, "must be 1 or more"),
            ("probe_within", self.probe_within > timedelta(0), "must be above 0"),
        )
        if faults := [Fault(pointer=f"/{name}", detail=mend) for name, holds, mend in rules if not holds]:
            raise InvalidInput(*faults)

    def open_time(self, openings: int) -> timedelta:
        """Return how long it stays open the ``openings``-th time in a row, 1 or more."""
        doubled = self.open_for
        for _ in range(openings - 1):
            if doubled >= self.open_max:
                break
            doubled *= 2
        return min(doubled, self.open_max)


@frozen(kw_only=True)
class Breaker:
    """The breaker of one provider.

    Args:
        since: when its state began.
        until: open: when a probe may be made; half-open: when the next may, whatever became of the last;
            closed: None.
        openings: how often it opened in a row, without having closed in between.
        successes: probes in a row that succeeded.
        probe: the stamp of the probe that is under way; None for none.
        window: the calls that count; while it is not closed, those by which it opened.
    """

    state: BreakerState
    since: datetime
    until: datetime | None = None
    openings: int = 0
    successes: int = 0
    probe: int | None = None
    window: CallWindow = field(factory=CallWindow)

    @property
    def is_closed(self) -> bool:
        """Calls are made."""
        return self.state is BreakerState.CLOSED

    def tally(self, seen: CallWindow, *, now: datetime, policy: BreakerPolicy) -> "Breaker":
        """Add calls that have ended, which may open it.

        One that is not closed stays as it is: what was called before it opened says nothing of now.
        """
        if not self.is_closed:
            return self
        window = self.window.plus(seen).last(policy.window, now=now)
        is_bad = window.failures >= policy.failure_share * window.calls
        if window.calls < policy.calls_min or not is_bad:
            return evolve(self, window=window)
        return self._opened(now=now, policy=policy, window=window)

    def may_probe(self, now: datetime) -> bool:
        """Say whether a probe may begin."""
        return self.until is not None and now >= self.until

    def begin_probe(self, stamp: int, *, now: datetime, policy: BreakerPolicy) -> "Breaker | None":
        """Give the one probe to whoever brings ``stamp``; None where no probe may begin."""
        if not self.may_probe(now):
            return None
        return self._half_open(probe=stamp, until=now + policy.probe_within, now=now)

    def probe_succeeded(self, stamp: int, *, now: datetime, policy: BreakerPolicy) -> "Breaker":
        """Close, or let the next probe begin; a probe whose time was over changes nothing."""
        if self.probe != stamp:
            return self
        successes = self.successes + 1
        if successes < policy.closes_after:
            return evolve(self._half_open(probe=None, until=now, now=now), successes=successes)
        return Breaker(state=BreakerState.CLOSED, since=now)

    def probe_failed(self, stamp: int, *, now: datetime, policy: BreakerPolicy) -> "Breaker":
        """Open again, for longer; a probe whose time was over changes nothing."""
        return self._opened(now=now, policy=policy, window=self.window) if self.probe == stamp else self

    def probe_undecided(self, stamp: int, *, now: datetime, wait: timedelta) -> "Breaker":
        """Let the next probe begin after ``wait``: this one says neither; changes nothing as above."""
        return self._half_open(probe=None, until=now + wait, now=now) if self.probe == stamp else self

    def _half_open(self, *, probe: int | None, until: datetime, now: datetime) -> "Breaker":
        since = self.since if self.state is BreakerState.HALF_OPEN else now
        return evolve(self, state=BreakerState.HALF_OPEN, since=since, until=until, probe=probe)

    def _opened(self, *, now: datetime, policy: BreakerPolicy, window: CallWindow) -> "Breaker":
        openings = self.openings + 1
        until = now + policy.open_time(openings)
        return Breaker(state=BreakerState.OPEN, since=now, until=until, openings=openings, window=window)
