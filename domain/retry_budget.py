"""How many calls may be retries, so that retries do not keep down a provider that is in trouble."""

from typing import Final

from attrs import evolve, frozen

from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.token_bucket import RateLimit, TokenBucket

#: Where there is little traffic a share of it says little. As in Finagle's ``RetryBudget``: 10 retries a
#: second are always allowed, and what is not used within 10 s is gone.
RESERVE: Final = RateLimit(per_s=10.0, burst=100)


@frozen(kw_only=True)
class RetryBudget:
    """What first attempts have left for retries; times are monotonic, in seconds.

    Args:
        share: retries for each first attempt, 0 to 1.

    Raises:
        InvalidInput: the share is out of its range.
    """

    share: float
    purse: TokenBucket

    def __attrs_post_init__(self) -> None:
        """Refuse nonsense."""
        if not 0 <= self.share <= 1:
            raise InvalidInput(Fault(pointer="/retry_share", detail="must be from 0 to 1"))

    @classmethod
    def fresh(cls, share: float, *, now_s: float) -> "RetryBudget":
        """Return a budget from which nobody took."""
        return cls(share=share, purse=TokenBucket.full(RESERVE, now_s=now_s))

    def first_attempt(self, now_s: float) -> "RetryBudget":
        """Add what a first attempt leaves for retries."""
        return evolve(self, purse=self.purse.add(self.share, now_s=now_s))

    def retry(self, now_s: float) -> tuple["RetryBudget", float]:
        """Take one retry; the second value is how long to wait, in seconds, where there is none: else 0."""
        taken = self.purse.take(now_s)
        return evolve(self, purse=taken.bucket), taken.wait_s

    def unused(self, now_s: float) -> "RetryBudget":
        """Give back a retry that was not made after all."""
        return evolve(self, purse=self.purse.add(1.0, now_s=now_s))
