"""How far running jobs are, by their own word."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from jobmill.domain.transition import Fence


@frozen(kw_only=True)
class Progress:
    """The last that an attempt said of itself.

    Args:
        fraction: 0 to 1.
        note: up to 200 characters, for people.
        attempt: which one said it; an earlier one's word stands until the next speaks.
        at: when it was stored.
    """

    fraction: float
    note: str | None
    attempt: int
    at: datetime


@frozen(kw_only=True)
class ProgressReport:
    """What a run says of itself."""

    fence: Fence
    attempt: int
    fraction: float
    note: str | None


class ProgressBoard(Protocol):
    """The newest report of each job. Errors as in ``JobRepository``."""

    async def write(self, reports: Sequence[ProgressReport]) -> None:
        """Store reports in the place of earlier ones, with the store's time.

        One whose fence does not stand any more, or whose job is not running, is left out.

        Args:
            reports: at most one for each job.
        """
        ...
