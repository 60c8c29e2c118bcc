"""What can come of one attempt."""

from datetime import timedelta

from attrs import frozen

from jobmill.domain.failure import Failure


@frozen(kw_only=True)
class Succeeded:
    """The handler returned this, as JSON text."""

    result: str | None


@frozen(kw_only=True)
class Postponed:
    """The attempt is given back; ``wait`` None hands the job to another worker at once.

    Args:
        is_excused: another worker's code can run it, or its providers are away, so this never counts.
    """

    wait: timedelta | None
    reason: str
    is_excused: bool = False


@frozen(kw_only=True)
class Stopped:
    """Somebody asked for it, and the handler ended."""


@frozen(kw_only=True)
class Dropped:
    """The lease is lost: there is nothing left to say about this attempt."""


Outcome = Succeeded | Failure | Postponed | Stopped | Dropped
