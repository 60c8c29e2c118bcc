"""What the test kit says about a test that cannot go on, or has not shown what it was to show."""

from typing import Final

from jobmill.domain.errors import JobmillError

_WHERE_TIME_IS_VIRTUAL: Final = (
    "a VirtualMill needs an event loop with virtual time, and this one's time is real: in pytest, let the "
    "test itself ask for the fixture `mill` (with pytest-asyncio, this takes 1.4 or later); elsewhere, start "
    "with jobmill.testing.run_virtually(main())"
)


class RealTime(JobmillError):
    """A mill was used where time is real."""

    code = "real-time"

    def __init__(self, message: str = _WHERE_TIME_IS_VIRTUAL) -> None:
        super().__init__(message)


class MillEnded(JobmillError):
    """A mill was used after its end, or on two event loops."""

    code = "mill-ended"


class StillOpen(AssertionError):
    """Jobs are still under way when the time for them is over."""


class CrashNotReached(AssertionError):
    """A crash was planned, and no job came to its point."""
