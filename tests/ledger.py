"""The table of jobs with a witness: every change is held against the laws at the moment it is made."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import evolve

from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL, UNSTARTED, WAITING, JobState

S = JobState
#: What may follow a state, by any verb.
FOLLOWS: Final = {
    S.SCHEDULED: {S.QUEUED, S.EXPIRED, S.CANCELLED},
    S.QUEUED: {S.PROCESSING, S.RETRYING, S.FAILED, S.EXPIRED, S.CANCELLED},
    S.RETRYING: {S.QUEUED, S.PROCESSING, S.RETRYING, S.EXPIRED, S.CANCELLED},
    S.PROCESSING: {S.SUCCEEDED, S.RETRYING, S.FAILED, S.CANCELLED, S.QUEUED},
    S.SUCCEEDED: set[JobState](),
    S.DISCARDED: set[JobState](),
    S.FAILED: {S.QUEUED, S.DISCARDED},
    S.EXPIRED: {S.QUEUED, S.DISCARDED},
    S.CANCELLED: {S.QUEUED},
}


class Ledger(dict[UUID, Job]):
    """Rows by id. What breaks a law is noted in ``broken``; the row is written all the same."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self.broken: list[str] = []
        self.requeued_at: dict[UUID, int] = {}

    def __setitem__(self, job_id: UUID, job: Job) -> None:
        """Compare the new row with the one it replaces."""
        row = self.get(job_id)
        if row is not None:
            self._judge(row, job)
        super().__setitem__(job_id, job)

    def _judge(self, row: Job, job: Job) -> None:
        if job.version == row.version:
            loose: dict[str, Any] = {"lease_until": None, "stop_asked": False, "announces": 0}
            loose["announced_at"] = None
            self._law(evolve(row, **loose) == evolve(job, **loose), "changed without a new version", job)
            return
        self._law(job.version == row.version + 1, "skipped or repeated a version", job)
        self._law(job.stamp != row.stamp, "kept its stamp", job)
        self._law(job.state in FOLLOWS[row.state], f"went from {row.state.value}", job)
        self._law(job.attempt <= job.max_attempts, "used more attempts than it has", job)
        if job.state is S.PROCESSING:
            self._judge_start(row, job)
        if job.state is S.EXPIRED:
            self._law(row.state in UNSTARTED and row.is_expired(self._now()), "expired early", job)
        if row.state in TERMINAL and job.state is S.QUEUED:
            self.requeued_at[job.id] = job.version

    def _judge_start(self, row: Job, job: Job) -> None:
        now = self._now()
        self._law(row.state in WAITING, "started without waiting", job)
        self._law(row.is_due(now), "started before retry_at", job)
        self._law(not row.is_expired(now), "started after expires_at", job)
        self._law(not row.stop_asked, "started though asked to stop", job)
        self._law(job.attempt == row.attempt + 1, "did not count its attempt", job)

    def _law(self, holds: bool, what: str, job: Job) -> None:
        if not holds:
            self.broken.append(f"{job.id} {what}: now {job.state.value}, version {job.version}")
