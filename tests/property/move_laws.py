"""Laws of a single move, whatever it is: what it may change, and how long it makes a job wait."""

from datetime import datetime, timedelta
from typing import Final

from jobmill.domain.failure import FailureKind
from jobmill.domain.ladder import LATE_AFTER, REACH, rung_for
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import TERMINAL, UNSTARTED, WAITING, Guard, JobState, Target
from jobmill.domain.transition import Transition

from tests.property.values import MICROSECOND

OPERATOR: Final = {"requeue", "discard"}
GIVES_BACK: Final = {"postpone", "hand_back"}
ENDS_BADLY: Final = {"fail", "lapse", *GIVES_BACK}
#: What the store must look at once more when it saves.
GUARDS: Final = {
    "start": Guard.CLAIM,
    "lapse": Guard.LAPSED,
    "orphan": Guard.ORPHANED,
    "release": Guard.DUE,
    "expire": Guard.EXPIRED,
}
#: Attempts may be given back this often.
FREE_POSTPONES: Final = 100
#: So many waits for other code are counted.
COUNTED_WAITS: Final = 12
#: So many notices that led to no start are enough.
ANNOUNCED_IN_VAIN: Final = 10


def check_move(verb: str, move: Transition, *, now: datetime) -> None:
    """What ``verb`` made of the job is within the law."""
    before, after = move.before, move.job
    assert before.state not in TERMINAL or verb in OPERATOR
    assert before.state not in {JobState.SUCCEEDED, JobState.DISCARDED}
    assert before.state is JobState.PROCESSING or after.state is not JobState.SUCCEEDED
    assert after.stop_asked == (before.stop_asked and verb != "requeue")
    assert verb == "requeue" or (after.payload, after.edition) == (before.payload, before.edition)
    assert after.updated_at == now
    assert after.stamp != before.stamp
    assert (move.target is Target.QUEUE) == (after.state is JobState.QUEUED)
    assert (move.target is Target.DEAD) == (after.state in {JobState.FAILED, JobState.EXPIRED})
    assert move.guard is GUARDS.get(verb, Guard.NONE)
    assert (move.lease is not None) == (verb == "start")
    assert verb != "start" or before.state in WAITING
    assert verb not in {"expire", "cancel"} or before.state in UNSTARTED
    assert verb != "give_up" or before.announces >= ANNOUNCED_IN_VAIN
    if verb in ENDS_BADLY:
        _check_bad_end(verb, move)


def _check_bad_end(verb: str, move: Transition) -> None:
    """An attempt ended without success: a stop request is obeyed before anything else."""
    before, after = move.before, move.job
    free = verb in GIVES_BACK and before.postpones < FREE_POSTPONES
    if before.stop_asked:
        assert after.state is JobState.CANCELLED
        assert after.attempt == before.attempt
        return
    assert after.attempt == before.attempt - free
    assert move.failure is not None
    assert after.suspect == (move.failure.kind is FailureKind.WORKER_LOST or (before.suspect and free))
    if not free and before.attempt >= before.max_attempts:
        assert after.state is JobState.FAILED


def check_given_back(move: Transition) -> None:
    """An attempt was given back, which is free a hundred times."""
    assert move.before.postpones < FREE_POSTPONES
    assert move.job.postpones == move.before.postpones + 1
    assert move.job.attempt == move.before.attempt - 1


def check_excused(move: Transition) -> None:
    """A job waits for other code: that is counted up to twelve, which no job fails by."""
    before, after = move.before.postpones, move.job.postpones
    assert after == (before + 1 if before < COUNTED_WAITS else before)


def check_wait(move: Transition, *, asked: timedelta | None, policy: RetryPolicy, now: datetime) -> None:
    """The job waits as long as was asked, else as the policy says, on the rung that holds so long.

    The first lost worker costs no wait at all.
    """
    retry_at, wake_at = move.job.retry_at, move.job.wake_at
    assert retry_at is not None
    assert wake_at is not None
    delay, slack = retry_at - now, wake_at - retry_at
    is_lost = move.failure is not None and move.failure.kind is FailureKind.WORKER_LOST
    if is_lost and not move.before.suspect:
        assert delay == timedelta(0)
    elif asked is not None:
        assert delay == asked
    else:
        grown_s = policy.base.total_seconds() * policy.factor**move.before.attempt
        shortest = timedelta(seconds=min(policy.cap.total_seconds(), grown_s))
        assert shortest - MICROSECOND <= delay <= shortest * (1 + policy.jitter) + MICROSECOND
    rung = rung_for(delay)
    assert (move.target is Target.LADDER) == (delay <= REACH) == (rung is not None)
    assert slack == (timedelta(0) if rung is None else timedelta(seconds=rung) + LATE_AFTER)
