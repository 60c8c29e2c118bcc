"""What a transition hands to the store: the job as it was seen, as it will be, and what to tell whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from attrs import frozen

from jobmill.domain.failure import Failure
from jobmill.domain.states import Fact, Guard, JobState, Target

if TYPE_CHECKING:
    from jobmill.domain.job import Job

#: These leave no row in the history: the job's own columns tell them.
_UNRECORDED: Final = frozenset({Fact.SUBMITTED, Fact.STARTED, Fact.SUCCEEDED, Fact.RELEASED})


@frozen(kw_only=True)
class Fence:
    """One version of one job. The pair of version and stamp decides who may write.

    Args:
        version: rises by one with every save.
        stamp: 64 random bits drawn for that save, as a signed integer. Two histories of one job that reached
            the same version differ by it.
    """

    job_id: UUID
    version: int
    stamp: int


@frozen(kw_only=True)
class HistoryEntry:
    """An attempt that did not succeed, or what an operator did. Kept under (job, version)."""

    job_id: UUID
    version: int
    fact: Fact
    attempt: int
    at: datetime
    started_at: datetime | None
    worker: str | None
    failure: Failure | None


@frozen(kw_only=True, slots=False)
class Transition:
    """One move of one job, decided and not yet saved.

    Args:
        before: the job as it was seen; this version must still stand when the move is saved.
        job: the job afterwards; its version is the next one, its stamp is new.
        fact: what happens by it.
        guard: what else must hold in the row, by the store's own clock.
        target: where the notice of the new version goes.
        failure: why an attempt ended, with its stack.
        lease: for a start, how long the store shall hold the job for its worker, counted from the save.
    """

    before: Job
    job: Job
    fact: Fact
    guard: Guard = Guard.NONE
    target: Target = Target.NONE
    failure: Failure | None = None
    lease: timedelta | None = None

    @property
    def resets_announces(self) -> bool:
        """Announcements are counted anew from here; no other move touches their number."""
        return self.fact in (Fact.STARTED, Fact.REQUEUED)

    @property
    def history(self) -> HistoryEntry | None:
        """The row this move leaves in the job's history, if any."""
        if self.fact in _UNRECORDED:
            return None
        ran = self.before.state is JobState.PROCESSING
        return HistoryEntry(
            job_id=self.job.id,
            version=self.job.version,
            fact=self.fact,
            attempt=self.before.attempt,
            at=self.job.updated_at,
            started_at=self.before.started_at if ran else None,
            worker=self.before.worker if ran else None,
            failure=self.failure,
        )
