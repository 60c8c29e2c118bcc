"""What the end of a job means for the one that follows it."""

from datetime import datetime
from typing import Final

from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import Transition

#: What a job inherits from one that succeeded without a result.
NO_RESULT: Final = "null"


def follow_up(ended: Job, held: Job, *, now: datetime, stamp: int) -> Transition:
    """Decide for a job that waited for this end: it goes if that is a success, else it is cancelled.

    Args:
        ended: a finished job.
        held: one that follows it and still waits.
    """
    if ended.state is JobState.SUCCEEDED:
        return held.proceed(inherited=left_by(ended), now=now, stamp=stamp)
    reason = f"the job that it follows, {ended.id}, is {ended.state.value}; requeue that one first"
    return held.forgo(reason=reason, now=now, stamp=stamp)


def left_by(done: Job) -> str:
    """Return what a job that has succeeded leaves to the one that follows it, a JSON text."""
    return done.result or NO_RESULT
