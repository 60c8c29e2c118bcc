"""When a failed attempt is tried again, and when it is given up."""

from datetime import timedelta
from typing import Final

from attrs import frozen

from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.failure import Failure

MAX_ATTEMPTS_LIMIT: Final = 100
FACTOR_MAX: Final = 100.0
CAP_MAX: Final = timedelta(days=30)


@frozen(kw_only=True)
class RetryIn:
    """Try again after ``delay``."""

    delay: timedelta


@frozen(kw_only=True)
class GiveUp:
    """No further attempt."""


RetryDecision = RetryIn | GiveUp


@frozen(kw_only=True)
class RetryPolicy:
    """Exponential backoff with a cap and jitter that only ever lengthens a delay.

    The delay after failed attempt *n* is ``min(cap, base * factor ** n) * (1 + jitter * u)`` with *u*
    uniform in [0, 1): with the defaults 2 s, 4 s, … and up to a tenth more.

    Args:
        max_attempts: attempts in all, 1 to 100.
        base: unit of the delay, 0 to 30 days.
        factor: growth per attempt, 1 to 100.
        cap: longest delay before jitter, 0 to 30 days.
        jitter: largest share added by chance, 0 to 1.

    Raises:
        InvalidInput: a value is out of its range.
    """

    max_attempts: int = 3
    base: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    cap: timedelta = timedelta(seconds=60)
    jitter: float = 0.1

    def __attrs_post_init__(self) -> None:
        """Refuse nonsense, all of it at once."""
        faults = [
            Fault(pointer=f"/{name}", detail=f"must be from {low} to {high}, not {value}")
            for name, low, value, high in (
                ("max_attempts", 1, self.max_attempts, MAX_ATTEMPTS_LIMIT),
                ("base", timedelta(0), self.base, CAP_MAX),
                ("factor", 1.0, self.factor, FACTOR_MAX),
                ("cap", timedelta(0), self.cap, CAP_MAX),
                ("jitter", 0.0, self.jitter, 1.0),
            )
            if not low <= value <= high  # type: ignore[operator]
        ]
        if faults:
            raise InvalidInput(*faults)

    def decide(self, failure: Failure, *, attempt: int, max_attempts: int, fraction: float) -> RetryDecision:
        """Decide what follows failed attempt number ``attempt``.

        Args:
            failure: what went wrong; a permanent one ends the job whatever is left.
            attempt: how many attempts have started, counting this one; 1 or more.
            max_attempts: how many the job may have; it may differ from the policy's own number.
            fraction: a uniform random fraction in [0, 1).
        """
        if failure.is_final or attempt >= max_attempts:
            return GiveUp()
        if failure.retry_after is not None:
            return RetryIn(delay=failure.retry_after)
        return RetryIn(delay=self.delay_after(attempt, fraction=fraction))

    def delay_after(self, attempt: int, *, fraction: float) -> timedelta:
        """Return the wait after failed attempt number ``attempt``, at most ``cap * (1 + jitter)``."""
        cap_s = self.cap.total_seconds()
        grown_s = min(cap_s, self.base.total_seconds() * self.factor**attempt)
        return timedelta(seconds=grown_s * (1 + self.jitter * fraction))
