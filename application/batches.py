"""How a batch stands, as its callback's handler and its client are told."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from attrs import frozen

from jobmill.application.codec.payload_schema import write_payload
from jobmill.application.public_job import Job, seen_from_outside
from jobmill.domain.job import Job as StoredJob
from jobmill.domain.states import TERMINAL, JobState
from jobmill.domain.ties import Tally

_ENDS: Final = tuple(state for state in JobState if state in TERMINAL)


@frozen(kw_only=True)
class Batch:
    """A batch that was submitted.

    Args:
        id: of the batch, which is that of its callback.
        callback: the job that runs when all others have ended.
        jobs: the others, in their order.
    """

    id: UUID
    callback: Job
    jobs: tuple[Job, ...]


@frozen(kw_only=True)
class BatchReport:
    """How the jobs of a batch stand.

    Args:
        id: of the batch, which is that of its callback.
        callback: the job that runs when all others have ended.
        size: how many were submitted.
        unfinished: how many have not ended.
        succeeded, failed, expired, cancelled, discarded: how many ended so.
        gone: how many ended so long ago that they are kept no longer.
    """

    id: UUID
    callback: Job
    size: int
    unfinished: int
    succeeded: int
    failed: int
    expired: int
    cancelled: int
    discarded: int
    gone: int

    @property
    def is_over(self) -> bool:
        """All of its jobs have ended, however they did."""
        return self.unfinished == 0


def counts_of(tally: Tally) -> Mapping[str, int]:
    """Return the numbers by the names that they have outside."""
    ends = {state.value: tally.count(state) for state in _ENDS}
    return {"size": tally.size, "unfinished": tally.unfinished, **ends, "gone": tally.gone}


def left_by_batch(callback_id: UUID, tally: Tally) -> str:
    """Return what the callback of a batch that is over inherits, a JSON text."""
    counts = {name: number for name, number in counts_of(tally).items() if name != "unfinished"}
    return write_payload({"batch": str(callback_id), **counts})


def report_of(callback: StoredJob, tally: Tally) -> BatchReport:
    """Return how a batch stands, as a client sees it."""
    return BatchReport(id=callback.id, callback=seen_from_outside(callback), **counts_of(tally))


def batch_of(jobs: Sequence[Job]) -> Batch:
    """Return the batch that these were submitted as, its callback last."""
    *others, callback = jobs
    return Batch(id=callback.id, callback=callback, jobs=tuple(others))
