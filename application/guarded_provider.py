"""What one process knows of one provider."""

from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from jobmill.application.ports.provider_states import ProviderRecord
from jobmill.application.provider_limits import ProviderLimits
from jobmill.domain.call_window import CallWindow
from jobmill.domain.circuit_breaker import Breaker, BreakerPolicy, BreakerState
from jobmill.domain.concurrency_limit import ConcurrencyLimit
from jobmill.domain.pause import Pause
from jobmill.domain.retry_budget import RetryBudget
from jobmill.domain.token_bucket import Line

#: A call of which nothing was told counts as ended after this.
CALL_WITHIN_S: Final = 120.0
#: Those turned away by a breaker come back so far apart, and at most so far spread.
_APART_S: Final = 0.1
_SPREAD_MAX_S: Final = 60.0
#: So many come back as soon as a probe may be made; the rest later, the longer the provider is down.
_FIRST_IN_LINE: Final = 10
_LATER_S: Final = 30.0
_LATER_MAX_S: Final = 120.0
#: How long a call takes, before one was seen, and how much the last one says of the next.
_CALL_S: Final = 1.0
_CALL_WEIGHT: Final = 0.1
#: How long a probe that somebody else makes is waited for.
_PROBE_S: Final = 5.0


@frozen(kw_only=True)
class Call:
    """A call that is under way; ``probe`` is the stamp of the probe that it is, if it is one."""

    started_s: float
    probe: int | None


@frozen(kw_only=True)
class ProviderSeen:
    """A provider as one process sees it at a moment.

    Args:
        pause_s: how long no call is made, since the provider asked for that; 0 for no pause.
        calls_max: how many calls this process makes at once now.
        calls: those that are under way.
    """

    name: str
    state: BreakerState
    pause_s: float
    calls_max: int
    calls: int


@define(kw_only=True, eq=False)
class GuardedProvider:
    """The breaker as this process sees it, and the limits that it keeps by itself.

    Args:
        breaker: what the store said last, with the calls added that it does not know.
        unsaved: those calls.
        version: of the stored record; 0 where nothing is stored.
        told: the state that was last made known to people.
        shows_limits: they are to be stored, for people to see.
        asked_s: when it was last asked for.
        line: those whom the limit of concurrency turned away.
    """

    name: str
    breaker: Breaker
    limits: ProviderLimits
    budget: RetryBudget
    concurrency: ConcurrencyLimit
    policy: BreakerPolicy
    pause: Pause = field(factory=Pause)
    unsaved: CallWindow = field(factory=CallWindow)
    version: int = 0
    told: BreakerState = BreakerState.CLOSED
    shows_limits: bool = True
    asked_s: float = 0.0
    calls: dict[int, Call] = field(factory=dict)
    is_probing: bool = False
    line: Line = field(factory=Line)
    _call_s: float = _CALL_S
    _turned_away: int = 0

    @classmethod
    def new(
        cls, name: str, limits: ProviderLimits, *, now: datetime, now_s: float, policy: BreakerPolicy
    ) -> "GuardedProvider":
        """Return a provider of which nothing is known."""
        return cls(
            name=name,
            breaker=Breaker(state=BreakerState.CLOSED, since=now),
            limits=limits,
            budget=RetryBudget.fresh(limits.retry_share, now_s=now_s),
            concurrency=ConcurrencyLimit(highest=limits.concurrency),
            policy=policy,
            asked_s=now_s,
        )

    def limit(self, limits: ProviderLimits, *, now_s: float) -> None:
        """Set other limits."""
        self.limits = limits
        self.budget = RetryBudget.fresh(limits.retry_share, now_s=now_s)
        self.concurrency = ConcurrencyLimit(highest=limits.concurrency)
        self.shows_limits = True

    def room_in_s(self, now_s: float) -> float:
        """Return 0 if one more call may begin, else how long its job waits: the calls take what they take."""
        if self.concurrency.has_room(len(self.calls)):
            return 0.0
        apart_s = self._call_s / int(self.concurrency.limit)
        self.line = self.line.join(now_s=now_s, next_s=now_s + self._call_s, apart_s=apart_s)
        return self.line.last_s - now_s

    def begin(self, ticket: int, *, probe: int | None, now_s: float) -> None:
        """Note a call that begins."""
        self.calls[ticket] = Call(started_s=now_s, probe=probe)

    def forget_lost_calls(self, now_s: float) -> None:
        """Let calls end of which nothing was told in time; they stand in the order of their beginning."""
        for ticket in [*self.calls]:
            if now_s - self.calls[ticket].started_s < CALL_WITHIN_S:
                break
            del self.calls[ticket]

    def end(self, ticket: int, *, is_well: bool, now_s: float) -> Call | None:
        """Note a call that ended, well or by failure or refusal; None if it had ended already."""
        in_flight = len(self.calls)
        call = self.calls.pop(ticket, None)
        if call is not None:
            self._call_s += _CALL_WEIGHT * (now_s - call.started_s - self._call_s)
            limit = self.concurrency
            self.concurrency = limit.bore(in_flight) if is_well else limit.strained(in_flight)
        return call

    def count(self, *, failed: bool, now: datetime) -> bool:
        """Count a call that ended; tell whether that opened the breaker."""
        if not self.breaker.is_closed:
            return False
        call = CallWindow.of(calls=1, failures=int(failed), now=now)
        self.unsaved = self.unsaved.plus(call)
        self.breaker = self.breaker.tally(call, now=now, policy=self.policy)
        return not self.breaker.is_closed

    def adopt(self, record: ProviderRecord, *, now: datetime) -> None:
        """Go by what is stored from now on, and by the calls that are not stored yet."""
        self.version = record.version
        self.breaker = record.breaker.tally(self.unsaved, now=now, policy=self.policy)
        if self.breaker.is_closed:
            self._turned_away = 0

    def wait(self, *, now: datetime, fraction: float) -> timedelta:
        """Return when somebody whom the breaker turns away comes back: one by one, rather than all at once.

        Args:
            fraction: a uniform random fraction in [0, 1).
        """
        self._turned_away += 1
        place = self._turned_away
        later_s = min(place * _APART_S, _SPREAD_MAX_S)
        if place > _FIRST_IN_LINE:
            later_s += min(self.breaker.openings * _LATER_S, _LATER_MAX_S)
        if self.breaker.state is BreakerState.HALF_OPEN:
            return timedelta(seconds=_PROBE_S + later_s * fraction)
        rest = max(timedelta(0), (self.breaker.until or now) - now)
        return rest + timedelta(seconds=later_s * fraction)

    def seen(self, now_s: float) -> ProviderSeen:
        """Return how it is, for people."""
        return ProviderSeen(
            name=self.name,
            state=self.breaker.state,
            pause_s=self.pause.wait_s(now_s),
            calls_max=int(self.concurrency.limit),
            calls=len(self.calls),
        )

    def record(self) -> ProviderRecord:
        """Return what would be stored of it, by what this process knows."""
        return ProviderRecord(
            provider=self.name, breaker=self.breaker, limits=self.limits.as_record(), version=self.version
        )
