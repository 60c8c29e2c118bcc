"""How long finished jobs and foreign messages are kept."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from attrs import Attribute, field, frozen

from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.states import DEAD, TERMINAL, JobState

#: Whoever waits for a job has to find it when he looks again.
KEEP_MIN: Final = timedelta(hours=1)
KEEP_MAX: Final = timedelta(days=36_500)


def _possible(_: object, attribute: "Attribute[Any]", value: timedelta | None) -> None:
    if value is not None and not KEEP_MIN <= value <= KEEP_MAX:
        raise InvalidInput(Fault(pointer=f"/{attribute.name}", detail="must be from 1 hour to 36,500 days"))


@frozen(kw_only=True)
class Retention:
    """For how long what is over is kept, from an hour to a hundred years; None for ever.

    Args:
        done: jobs that succeeded, were cancelled or discarded, counted from their end.
        dead: dead letters from their death, and quarantined messages from their arrival.
    """

    done: timedelta | None = field(default=timedelta(hours=72), validator=_possible)
    dead: timedelta | None = field(default=timedelta(days=90), validator=_possible)

    @property
    def by_state(self) -> Mapping[JobState, timedelta]:
        """How long jobs are kept by the state they ended in; one that is not in it is kept for ever."""
        keep = {state: self.dead if state in DEAD else self.done for state in sorted(TERMINAL, key=str)}
        return {state: span for state, span in keep.items() if span is not None}
