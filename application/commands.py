"""What clients ask of the services."""

from attrs import frozen

from jobmill.domain.errors import Fault
from jobmill.domain.options import JobOptions


@frozen(kw_only=True)
class SubmitJob:
    """Run a job of this type.

    Args:
        payload: plain values, as read from JSON.
        faults: what could not be read of the request; the ``Submitter`` refuses the command with these and
            with whatever else is wrong.
    """

    type: str
    payload: object
    options: JobOptions = JobOptions()
    faults: tuple[Fault, ...] = ()
