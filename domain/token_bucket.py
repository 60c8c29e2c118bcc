"""How often something may be done: tokens that grow at an even rate, and a line of those who found none."""

import math
from typing import Final

from attrs import evolve, field, frozen

from jobmill.domain.errors import Fault, InvalidInput

PER_S_MIN: Final = 1 / 86_400
PER_S_MAX: Final = 100_000.0
BURST_MAX: Final = 1_000_000
#: Nobody is told to wait longer than this, in seconds, however long the line is.
WAIT_MAX_S: Final = 3_600.0
#: What sums of fractions may lack of a whole token.
_NEARLY: Final = 1e-6


@frozen(kw_only=True)
class RateLimit:
    """So many at once, and from there on so many a second.

    Args:
        per_s: above 0: one a day, to 100,000 a second.
        burst: 1 to 1,000,000.

    Raises:
        InvalidInput: a value is out of its range.
    """

    per_s: float = 10.0
    burst: int = 100

    def __attrs_post_init__(self) -> None:
        """Refuse nonsense, all of it at once."""
        faults = []
        if not PER_S_MIN <= self.per_s <= PER_S_MAX:
            faults.append(Fault(pointer="/rate", detail=f"must be from 1 a day to {PER_S_MAX:,.0f} a second"))
        if not 1 <= self.burst <= BURST_MAX:
            faults.append(Fault(pointer="/burst", detail=f"must be a whole number from 1 to {BURST_MAX:,}"))
        if faults:
            raise InvalidInput(*faults)


@frozen(kw_only=True)
class Line:
    """Those who were told to come again; ``last_s`` is when the last of them will, monotonic, in seconds."""

    last_s: float = -math.inf

    def join(self, *, now_s: float, next_s: float, apart_s: float) -> "Line":
        """Return the line with one more at its end.

        So a crowd comes back one by one, and not all together for the next single place.

        Args:
            next_s: when there will be a place, not before ``now_s``.
            apart_s: how long it takes from there until there is another, and another.
        """
        end_s = max(next_s, now_s + WAIT_MAX_S)
        return Line(last_s=min(max(next_s, self.last_s + apart_s), end_s))


@frozen(kw_only=True)
class TokenBucket:
    """The tokens of one limit. Times are monotonic, in seconds; one that goes back counts as standing still.

    Args:
        tokens: from 0 to the burst, as of ``at_s``.
        line: those who found none.
    """

    limit: RateLimit
    tokens: float
    at_s: float
    line: Line = field(factory=Line)

    @classmethod
    def full(cls, limit: RateLimit, *, now_s: float) -> "TokenBucket":
        """Return a bucket that nobody took from."""
        return cls(limit=limit, tokens=float(limit.burst), at_s=now_s)

    def take(self, now_s: float) -> "Taken":
        """Take a token, or a place in the line: until there will be one for each who was there before."""
        grown = self.add(0.0, now_s=now_s)
        if grown.tokens >= 1 - _NEARLY:
            return Taken(bucket=evolve(grown, tokens=max(0.0, grown.tokens - 1)), wait_s=0.0)
        next_s = grown.at_s + (1 - grown.tokens) / self.limit.per_s
        line = self.line.join(now_s=grown.at_s, next_s=next_s, apart_s=1 / self.limit.per_s)
        return Taken(bucket=evolve(grown, line=line), wait_s=line.last_s - grown.at_s)

    def add(self, tokens: float, *, now_s: float) -> "TokenBucket":
        """Return it with so many tokens more, and with what has grown by now; never above the burst."""
        grown = self.tokens + max(0.0, now_s - self.at_s) * self.limit.per_s + tokens
        return evolve(self, tokens=min(grown, float(self.limit.burst)), at_s=max(now_s, self.at_s))


@frozen(kw_only=True)
class Taken:
    """What came of it: the bucket afterwards, and how long to wait; 0 where a token was taken."""

    bucket: TokenBucket
    wait_s: float
