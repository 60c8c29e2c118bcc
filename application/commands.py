"""What clients ask of the services."""

from typing import Final

from attrs import field, frozen

from jobmill.domain.errors import Fault
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.options import JobOptions

#: Nothing is asked for, so nothing about it needs a look.
NO_OPTIONS: Final = JobOptions()


@frozen(kw_only=True)
class SubmitJob:
    """Run a job of this type.

    Args:
        payload: plain values, as in JSON.
        is_plain: they were read from JSON; a caller's own values may hold anything.
        checked_by: the schema that took the payload already, None if none did.
        faults: what could not be read of the request; the ``Submitter`` refuses the command with these and
            with whatever else is wrong.
        keys: what the job claims beside the keys in its options.
        origin: what its foreign sender said of it, as JSON text.
    """

    type: str
    payload: object
    options: JobOptions = NO_OPTIONS
    is_plain: bool = field(default=False, eq=False)
    checked_by: object = field(default=None, eq=False)
    faults: tuple[Fault, ...] = ()
    keys: tuple[KeyClaim, ...] = ()
    origin: str | None = None
