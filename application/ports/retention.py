"""Letting go of what is over."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from jobmill.domain.states import JobState


class RetentionSteps(Protocol):
    """Bounded steps that delete what is past, by the store's clock. Safe with two callers at once.

    A job is *past* if it is finished, its end is longer ago than its state is kept, and no idempotency key of
    it is held any more; the deletion itself repeats that. Everything that hangs on a job goes with it: its
    keys, tags, history and progress. What nobody can see any more may go a step later.

    Every method raises ``StorageUnavailable`` or ``StorageUnknown``; asking again is harmless.
    """

    async def delete_jobs(self, keep: Mapping[JobState, timedelta], *, limit: int) -> int:
        """Delete up to ``limit`` jobs that are past, and return how many.

        Args:
            keep: how long jobs are kept by the finished state they are in; any other is kept. A store that
                lets go of whole days at once may keep some up to two days longer.
            limit: 1 to 1,000.
        """
        ...

    async def delete_foreign(self, keep: timedelta, *, limit: int) -> int:
        """Delete up to ``limit`` quarantined messages that arrived longer ago, and return how many."""
        ...

    async def turn(self, keep: Mapping[JobState, timedelta]) -> bool:
        """Take one step of the store's own: make room for days to come, let go of a day that is past.

        Returns:
            True if there was something to do, so that there may be more; a store without days has nothing.

        Raises:
            SetupFault: the database's user may not make or drop tables.
        """
        ...
