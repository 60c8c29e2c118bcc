"""What a handler raises to say how to go on. Any other error is transient."""

from datetime import timedelta

from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.retry_policy import CAP_MAX


class PermanentFailure(Exception):
    """Raised by a handler: no further attempt can help."""


class TransientFailure(Exception):
    """Raised by a shipped handler whose message says it all: retried like any other error."""


class RetryAfter(Exception):
    """Raised by a handler: try again after a time of its own choosing.

    Args:
        when: 0 to 30 days.
        reason: for people.
        counts: whether this attempt counts; if not, it is given back, at most 100 times.

    Raises:
        InvalidInput: ``when`` is out of its range.
    """

    def __init__(self, when: timedelta, reason: str, *, counts: bool = True) -> None:
        if not timedelta(0) <= when <= CAP_MAX:
            raise InvalidInput(Fault(pointer="/when", detail=f"must be from 0 to {CAP_MAX}"))
        self.when = when
        self.reason = reason
        self.counts = counts
        super().__init__(reason)


class ProviderAway(RetryAfter):
    """Raised by a shipped handler: nobody may be called now, which is no job's fault, so it never counts."""

    def __init__(self, when: timedelta, reason: str) -> None:
        super().__init__(when, reason, counts=False)
