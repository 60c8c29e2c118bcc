"""Which jobs that may have killed a worker run beside which."""

from typing import Final
from uuid import UUID

from jobmill.domain.job import Job

#: One suspect for so many slots may be on trial at once.
SLOTS_PER_TRIAL: Final = 10


class Suspects:
    """Keeps the number of suspects small that are on trial at once, in the first moments of their run.

    A suspect was running when its worker was lost, and what kills a worker does so at its start, as a rule.
    One with its last attempt before it begins beside no other on trial, and none begins beside it. So a job
    that kills at its start costs no other its last attempt.

    Args:
        trials_max: suspects on trial at once, 1 or more.
    """

    def __init__(self, *, trials_max: int) -> None:
        self._trials_max = trials_max
        self._on_trial: set[UUID] = set()
        self._alone: UUID | None = None  # the one that runs its last attempt

    @classmethod
    def among(cls, slots: int) -> "Suspects":
        """Return the rules for a worker that runs so many jobs at once."""
        return cls(trials_max=max(1, slots // SLOTS_PER_TRIAL))

    @property
    def are_none(self) -> bool:
        """None is on trial."""
        return not self._on_trial  # nor is one alone, which is on trial too

    def admits(self, job: Job) -> bool:
        """Whether a job may begin now. One that is no suspect always may."""
        if not job.suspect:
            return True
        if self._alone is not None:
            return False
        if _has_its_last_chance(job):
            return not self._on_trial
        return len(self._on_trial) < self._trials_max

    def begin(self, job: Job) -> None:
        """Note that a job begins, or is being claimed."""
        if job.suspect:
            self._on_trial.add(job.id)
            if _has_its_last_chance(job):
                self._alone = job.id

    def passed(self, job_id: UUID) -> bool:
        """Note that a job has run for a while and killed nobody; True if that lets another begin."""
        if job_id not in self._on_trial or job_id == self._alone:
            return False
        self._on_trial.remove(job_id)
        return True

    def ended(self, job_id: UUID) -> None:
        """Note that a job runs here no more, or never began."""
        self._on_trial.discard(job_id)
        if job_id == self._alone:
            self._alone = None


def _has_its_last_chance(job: Job) -> bool:
    """Said of a job that waits."""
    return job.attempt + 1 >= job.max_attempts
