"""How many jobs a batch handler is called with, and how long the first of them waits for more."""

from datetime import timedelta
from typing import Final

from attrs import frozen

from jobmill.domain.errors import Fault, InvalidInput

GATHERED_JOBS_MAX: Final = 1_000
GATHERING_WAIT_MAX: Final = timedelta(seconds=10)


@frozen(kw_only=True)
class Gathering:
    """When a call of a batch handler is complete.

    Args:
        jobs_max: 1 to 1,000 jobs.
        wait: 0 to 10 s, from the first job on.

    Raises:
        InvalidInput: one of them is out of its range.
    """

    jobs_max: int
    wait: timedelta

    def __attrs_post_init__(self) -> None:
        """Check the ranges."""
        if not _is_count(self.jobs_max):
            raise InvalidInput(Fault(pointer="/jobs_max", detail=f"must be from 1 to {GATHERED_JOBS_MAX:,}"))
        if not _is_wait(self.wait):
            longest = f"{GATHERING_WAIT_MAX.total_seconds():g} s"
            raise InvalidInput(Fault(pointer="/wait", detail=f"must be a timedelta from 0 to {longest}"))


def _is_count(jobs: object) -> bool:
    return isinstance(jobs, int) and not isinstance(jobs, bool) and 1 <= jobs <= GATHERED_JOBS_MAX


def _is_wait(wait: object) -> bool:
    return isinstance(wait, timedelta) and timedelta(0) <= wait <= GATHERING_WAIT_MAX
