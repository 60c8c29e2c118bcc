"""The ladder of retry queues: which rung holds a delay, and how late it may come back."""

from datetime import timedelta
from typing import Final

#: Time to live of each rung in seconds. One queue each, so a short delay never waits behind a long one.
RUNGS_S: Final = tuple(2**power for power in range(13))
#: Longer delays wait in the database.
REACH: Final = timedelta(seconds=RUNGS_S[-1])
#: After a delay and its rung are over, how long a notice may still be on its way before it counts as late.
LATE_AFTER: Final = timedelta(seconds=30)


def rung_for(delay: timedelta) -> int | None:
    """Return the lowest rung, in seconds, that does not end before ``delay``; None beyond the reach."""
    return next((rung for rung in RUNGS_S if timedelta(seconds=rung) >= delay), None)


def overdue_after(delay: timedelta) -> timedelta:
    """Return how long after now a notice in the ladder has to be given up as lost.

    At most one rung late, plus slack. A delay beyond the ladder has no notice, so it is due at its own time.
    """
    rung = rung_for(delay)
    return delay if rung is None else delay + timedelta(seconds=rung) + LATE_AFTER
