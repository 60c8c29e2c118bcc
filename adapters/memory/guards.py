"""Whether a transition may be saved, judged on the row and by the store's clock."""

from datetime import datetime

from jobmill.domain.job import Job
from jobmill.domain.states import UNSTARTED, WAITING, Guard, JobState
from jobmill.domain.transition import Transition


def may_save(row: Job, transition: Transition, *, now: datetime) -> bool:
    """The row is the version and in the state that the move was decided on, and its guard holds."""
    before = transition.before
    return row.fence == before.fence and row.state is before.state and _holds(transition, row, now)


def _holds(transition: Transition, row: Job, now: datetime) -> bool:
    match transition.guard:
        case Guard.NONE:
            return True
        case Guard.CLAIM:
            wanted = row.state in WAITING and not row.stop_asked and row.attempt < row.max_attempts
            return wanted and row.is_due(now) and not row.is_expired(now)
        case Guard.LAPSED:
            is_over = row.lease_until is not None and row.lease_until < now
            return is_over and row.state is JobState.PROCESSING
        case Guard.ORPHANED:
            return row.worker == transition.before.worker and row.state is JobState.PROCESSING
        case Guard.DUE:
            return row.wake_at is not None and row.wake_at <= now
        case Guard.EXPIRED:
            return row.state in UNSTARTED and row.is_expired(now)
