"""What ties jobs together: one that follows another, and batches with a callback."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from attrs import frozen

from jobmill.domain.states import TERMINAL, JobState

#: How many jobs may stand before one in a chain.
CHAIN_DEPTH_MAX: Final = 100


@frozen(kw_only=True)
class Ties:
    """What a new job has to do with others.

    Args:
        follows: the job after whose success it comes.
        chain_depth: how many jobs stand before it in this way, 1 to 100; None if it follows none.
        batch: the id of its batch, which is that of the batch's callback.
        batch_size: of a callback, how many jobs its batch has.
    """

    follows: UUID | None = None
    chain_depth: int | None = None
    batch: UUID | None = None
    batch_size: int | None = None


@frozen(kw_only=True)
class Tally:
    """How the jobs of a batch stand.

    Args:
        size: how many it was submitted with.
        counts: how many there are in each state. What is missing of ``size`` had ended and is kept no longer.
    """

    size: int
    counts: Mapping[JobState, int]

    def count(self, state: JobState) -> int:
        """Return how many stand so."""
        return self.counts.get(state, 0)

    @property
    def unfinished(self) -> int:
        """How many can still change by themselves."""
        return sum(count for state, count in self.counts.items() if state not in TERMINAL)

    @property
    def gone(self) -> int:
        """How many had ended long ago and are kept no longer."""
        return self.size - sum(self.counts.values())

    @property
    def is_over(self) -> bool:
        """All have ended, however they did."""
        return self.unfinished == 0
