"""What a save writes of a job."""

from datetime import datetime
from typing import Final

from attrs import evolve

from jobmill.domain.job import Job
from jobmill.domain.states import Fact
from jobmill.domain.transition import Transition

#: Everything else is written once, when the job is stored. The lease, the stop request and the
#: count of announcements are no part of a version, so no save copies them.
MUTABLE: Final = (
    "state",
    "version",
    "stamp",
    "updated_at",
    "attempt",
    "run_at",
    "retry_at",
    "wake_at",
    "expires_at",
    "started_at",
    "finished_at",
    "announced_at",
    "worker",
    "error",
    "error_kind",
    "result",
    "edition",
    "postpones",
    "suspect",
)


def written(row: Job, transition: Transition, *, now: datetime) -> Job:
    """Return the row after the save."""
    job = transition.job
    changes = {name: getattr(job, name) for name in MUTABLE}
    changes["lease_until"] = None if transition.lease is None else now + transition.lease
    if job.inherited is not None:
        changes["inherited"] = job.inherited
    if transition.resets_announces:
        changes["announces"] = 0
    if transition.fact is Fact.REQUEUED:
        changes["stop_asked"] = False
        if job.edition > row.edition:
            changes["payload"] = job.payload
            changes["payload_version"] = job.payload_version
    return evolve(row, **changes)
