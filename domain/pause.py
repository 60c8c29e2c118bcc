"""How long a provider is left alone that says that it is asked too often."""

import math
from typing import Final

from attrs import evolve, frozen

FIRST_S: Final = 1.0
LONGEST_S: Final = 60.0
#: A provider's own word counts up to this, in seconds: it may be a mistake.
RETRY_AFTER_MAX_S: Final = 3_600.0


@frozen(kw_only=True)
class Pause:
    """The pause of one provider; times are monotonic, in seconds.

    Args:
        until_s: when it ends or ended.
        length_s: what the next one doubles, where the provider does not say how long it shall be.
    """

    until_s: float = -math.inf
    length_s: float = 0.0

    def wait_s(self, now_s: float) -> float:
        """Return how long it still lasts; 0 where it is over."""
        return max(0.0, self.until_s - now_s)

    def busy(self, *, started_s: float, now_s: float, retry_after_s: float | None) -> "Pause":
        """Begin a pause, or prolong it: the provider refused a call that began at ``started_s``.

        Without its word each is twice as long as the one before, 1 s to 60 s. Calls that were under way
        when the last one began have nothing new to say, so many at once double it once.
        """
        if retry_after_s is not None:
            asked_s = now_s + min(max(retry_after_s, 0.0), RETRY_AFTER_MAX_S)
            return evolve(self, until_s=max(self.until_s, asked_s))
        if started_s < self.until_s:
            return self
        length_s = min(max(FIRST_S, 2 * self.length_s), LONGEST_S)
        return Pause(until_s=now_s + length_s, length_s=length_s)

    def well(self, *, started_s: float) -> "Pause":
        """Begin small again: the provider took a call that began after the pause."""
        return evolve(self, length_s=0.0) if started_s >= self.until_s else self
