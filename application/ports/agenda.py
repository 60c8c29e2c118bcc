"""What there is to do for the leader, as one look shows it."""

from datetime import timedelta
from typing import Final, Protocol

from attrs import frozen


@frozen(kw_only=True)
class Errands:
    """Where it is worth looking closer; what is False here was not there at the moment of the look.

    Args:
        runs: jobs are running, so a lease may be over, or a worker dead.
        waits: jobs are queued, so a notice may be lost.
        is_due: a time has come: to wake up or to expire; or a waiting job was asked to stop.
        is_left: rows in the outbox are old enough to be nobody else's.
        next_due: how long it is until the earliest ``wake_at`` that is still to come; None without any.
    """

    runs: bool
    waits: bool
    is_due: bool
    is_left: bool
    next_due: timedelta | None = None


#: For whoever has not looked.
EVERYWHERE: Final = Errands(runs=True, waits=True, is_due=True, is_left=True)


class Agenda(Protocol):
    """The cheap questions of all chores, asked together."""

    async def look(self, *, left_after: timedelta) -> Errands:
        """Return what there is to do.

        Args:
            left_after: the age from which on a row of the outbox counts as left.

        Raises:
            StorageUnavailable: the store cannot be reached.
        """
        ...
