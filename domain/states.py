"""The states of a job, its priorities, and the verbs that move it."""

from enum import Enum
from typing import Final


class Word(Enum):
    """Members are hashed as the single objects that they are; Enum would hash their names."""

    __hash__ = object.__hash__


class JobState(Word):
    """Where a job stands. Values are the public status names."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    PROCESSING = "processing"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"


#: A notice may start these: a worker claims a job only out of one of them.
WAITING: Final = frozenset({JobState.QUEUED, JobState.RETRYING})
#: Not started yet, for whatever reason.
UNSTARTED: Final = WAITING | {JobState.SCHEDULED}
#: Nothing but an operator moves a job out of one of these.
TERMINAL: Final = frozenset(
    {JobState.SUCCEEDED, JobState.FAILED, JobState.EXPIRED, JobState.CANCELLED, JobState.DISCARDED}
)
#: The dead letters among the jobs.
DEAD: Final = frozenset({JobState.FAILED, JobState.EXPIRED})


class Priority(Word):
    """How urgent a job is among those of its queue, most urgent first."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Guard(Word):
    """What must still hold in the row, beside its fence and state, for a transition to be saved.

    The store repeats the condition in the statement itself, by its own clock.
    """

    NONE = "none"
    CLAIM = "claim"  # due, not expired, not asked to stop, attempts left
    LAPSED = "lapsed"  # the lease is over
    ORPHANED = "orphaned"  # still held by the worker that was seen, who is dead
    DUE = "due"  # the time to wake up has come
    EXPIRED = "expired"  # the time to live is over


class Target(Word):
    """Where the notice of a saved transition has to go."""

    NONE = "none"
    QUEUE = "queue"
    LADDER = "ladder"  # a retry queue, for the time until ``retry_at``
    DEAD = "dead"


class Fact(Word):
    """What a transition says happened, in the past tense."""

    SUBMITTED = "submitted"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    RETRY_SCHEDULED = "retry scheduled"
    POSTPONED = "postponed"
    HANDED_BACK = "handed back"
    RELEASED = "released"
    DEAD_LETTERED = "dead-lettered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REQUEUED = "requeued"
    DISCARDED = "discarded"
