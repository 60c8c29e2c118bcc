"""The state table: what every verb does to a job in every state."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from attrs import frozen

from jobmill.domain.errors import IllegalTransition
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import ANNOUNCES_MAX, Job
from jobmill.domain.states import TERMINAL, Fact, Guard, JobState, Target
from jobmill.domain.transition import Transition

from tests.builders import MINUTE, NOW, SECOND, STEADY, a_failure, a_job_that_is

LATER: Final = NOW + SECOND
STAMP: Final = 77
SCHEDULED, QUEUED, PROCESSING, RETRYING, SUCCEEDED, FAILED, EXPIRED, CANCELLED, DISCARDED = JobState

Verb = Callable[[Job], Transition]


def fails(failure: Failure) -> Verb:
    return lambda job: job.fail(failure, policy=STEADY, now=LATER, stamp=STAMP, fraction=0.0)


def postpones(job: Job) -> Transition:
    return job.postpone(MINUTE, "busy", policy=STEADY, now=LATER, stamp=STAMP, fraction=0.0)


def hands_back(job: Job) -> Transition:
    return job.hand_back("shutdown", policy=STEADY, now=LATER, stamp=STAMP, fraction=0.0)


def lapses(job: Job) -> Transition:
    return job.lapse(policy=STEADY, now=LATER, stamp=STAMP, fraction=0.0)


#: How each verb is said; the same words for every state.
VERBS: Final[dict[str, Verb]] = {
    "release": lambda job: job.release(now=LATER, stamp=STAMP),
    "start": lambda job: job.start(worker="w", lease=MINUTE, now=LATER, stamp=STAMP),
    "succeed": lambda job: job.succeed(result=None, now=LATER, stamp=STAMP),
    "fail": fails(a_failure()),
    "lapse": lapses,
    "orphan": lambda job: job.orphan(policy=STEADY, now=LATER, stamp=STAMP, fraction=0.0),
    "stop": lambda job: job.stop(now=LATER, stamp=STAMP),
    "postpone": postpones,
    "hand_back": hands_back,
    "defer": lambda job: job.defer(MINUTE, "breaker open", now=LATER, stamp=STAMP),
    "give_up": lambda job: job.give_up(now=LATER, stamp=STAMP),
    "expire": lambda job: job.expire(now=LATER, stamp=STAMP),
    "cancel": lambda job: job.cancel(now=LATER, stamp=STAMP),
    "requeue": lambda job: job.requeue(now=LATER, stamp=STAMP),
    "discard": lambda job: job.discard(now=LATER, stamp=STAMP),
}
#: What a job needs beside its state for a verb to be legal at all.
NEEDS: Final[dict[str, dict[str, Any]]] = {
    "stop": {"stop_asked": True},
    "give_up": {"announces": ANNOUNCES_MAX},
}


@frozen
class Row:
    state: JobState
    verb: str
    to: JobState
    fact: Fact
    guard: Guard = Guard.NONE
    target: Target = Target.NONE


TABLE: Final = [
    Row(SCHEDULED, "release", QUEUED, Fact.RELEASED, Guard.DUE, Target.QUEUE),
    Row(SCHEDULED, "expire", EXPIRED, Fact.EXPIRED, Guard.EXPIRED, Target.DEAD),
    Row(SCHEDULED, "cancel", CANCELLED, Fact.CANCELLED),
    Row(QUEUED, "start", PROCESSING, Fact.STARTED, Guard.CLAIM),
    Row(QUEUED, "defer", RETRYING, Fact.POSTPONED, target=Target.LADDER),
    Row(QUEUED, "give_up", FAILED, Fact.DEAD_LETTERED, target=Target.DEAD),
    Row(QUEUED, "expire", EXPIRED, Fact.EXPIRED, Guard.EXPIRED, Target.DEAD),
    Row(QUEUED, "cancel", CANCELLED, Fact.CANCELLED),
    Row(PROCESSING, "succeed", SUCCEEDED, Fact.SUCCEEDED),
    Row(PROCESSING, "fail", RETRYING, Fact.RETRY_SCHEDULED, target=Target.LADDER),
    Row(PROCESSING, "lapse", RETRYING, Fact.RETRY_SCHEDULED, Guard.LAPSED, Target.LADDER),
    Row(PROCESSING, "orphan", RETRYING, Fact.RETRY_SCHEDULED, Guard.ORPHANED, Target.LADDER),
    Row(PROCESSING, "stop", CANCELLED, Fact.CANCELLED),
    Row(PROCESSING, "postpone", RETRYING, Fact.POSTPONED, target=Target.LADDER),
    Row(PROCESSING, "hand_back", QUEUED, Fact.HANDED_BACK, target=Target.QUEUE),
    Row(RETRYING, "release", QUEUED, Fact.RELEASED, Guard.DUE, Target.QUEUE),
    Row(RETRYING, "start", PROCESSING, Fact.STARTED, Guard.CLAIM),
    Row(RETRYING, "defer", RETRYING, Fact.POSTPONED, target=Target.LADDER),
    Row(RETRYING, "expire", EXPIRED, Fact.EXPIRED, Guard.EXPIRED, Target.DEAD),
    Row(RETRYING, "cancel", CANCELLED, Fact.CANCELLED),
    Row(FAILED, "requeue", QUEUED, Fact.REQUEUED, target=Target.QUEUE),
    Row(FAILED, "discard", DISCARDED, Fact.DISCARDED),
    Row(EXPIRED, "requeue", QUEUED, Fact.REQUEUED, target=Target.QUEUE),
    Row(EXPIRED, "discard", DISCARDED, Fact.DISCARDED),
    Row(CANCELLED, "requeue", QUEUED, Fact.REQUEUED, target=Target.QUEUE),
]
LEGAL: Final = {(row.state, row.verb) for row in TABLE}
ILLEGAL: Final = [(state, verb) for state in JobState for verb in VERBS if (state, verb) not in LEGAL]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.state.value}-{row.verb}")
def test_a_legal_move(row: Row) -> None:
    job = a_job_that_is(row.state, **NEEDS.get(row.verb, {}))

    move = VERBS[row.verb](job)

    assert (move.before, move.job.state) == (job, row.to)
    assert (move.fact, move.guard, move.target) == (row.fact, row.guard, row.target)
    assert (move.job.version, move.job.stamp) == (job.version + 1, STAMP)
    assert move.job.updated_at == LATER
    assert move.job.finished_at == (LATER if row.to in TERMINAL else None)
    assert (move.job.id, move.job.created_at, move.job.payload) == (job.id, job.created_at, job.payload)


@pytest.mark.parametrize(("state", "verb"), ILLEGAL, ids=lambda each: getattr(each, "value", each))
def test_any_other_move_is_illegal(state: JobState, verb: str) -> None:
    job = a_job_that_is(state, **NEEDS.get(verb, {}))

    with pytest.raises(IllegalTransition) as refusal:
        VERBS[verb](job)

    assert (refusal.value.job_id, refusal.value.state) == (job.id, state.value)
    assert state.value in str(refusal.value)


@pytest.mark.parametrize("state", JobState)
def test_only_a_running_job_can_be_asked_to_stop(state: JobState) -> None:
    job = a_job_that_is(state)

    if state is PROCESSING:
        assert job.ask_to_stop().stop_asked
        assert job.ask_to_stop().fence == job.fence
    else:
        with pytest.raises(IllegalTransition, match="ask to stop"):
            job.ask_to_stop()


#: Moves of a running job that end it for good instead, once somebody asked it to stop.
ENDS_WHEN_ASKED: Final[dict[str, Verb]] = {
    "fail": fails(a_failure()),
    "fail for good": fails(a_failure(FailureKind.PERMANENT)),
    "lapse": lapses,
    "postpone": postpones,
    "hand back": hands_back,
}


@pytest.mark.parametrize("verb", ENDS_WHEN_ASKED.values(), ids=ENDS_WHEN_ASKED.keys())
def test_a_job_asked_to_stop_is_cancelled_by_whatever_ends_its_attempt_badly(verb: Verb) -> None:
    move = verb(a_job_that_is(PROCESSING, stop_asked=True))

    assert (move.job.state, move.fact, move.target) == (CANCELLED, Fact.CANCELLED, Target.NONE)


def test_a_job_asked_to_stop_that_succeeds_all_the_same_has_succeeded() -> None:
    assert VERBS["succeed"](a_job_that_is(PROCESSING, stop_asked=True)).job.state is SUCCEEDED


def test_a_job_that_nobody_asked_cannot_stop() -> None:
    with pytest.raises(IllegalTransition, match="nobody asked"):
        VERBS["stop"](a_job_that_is(PROCESSING))


@pytest.mark.parametrize("state", [QUEUED, RETRYING])
def test_a_job_asked_to_stop_cannot_start(state: JobState) -> None:
    with pytest.raises(IllegalTransition, match="asked to stop"):
        VERBS["start"](a_job_that_is(state, stop_asked=True))


@pytest.mark.parametrize(
    "failure",
    [a_failure(FailureKind.PERMANENT), a_failure(FailureKind.UNDELIVERABLE)],
    ids=lambda f: f.kind.value,
)
def test_a_failure_that_no_further_attempt_can_mend_is_a_dead_letter(failure: Failure) -> None:
    move = fails(failure)(a_job_that_is(PROCESSING))

    assert (move.job.state, move.fact, move.target) == (FAILED, Fact.DEAD_LETTERED, Target.DEAD)


def test_a_job_that_spent_its_attempts_is_a_dead_letter() -> None:
    move = fails(a_failure())(a_job_that_is(PROCESSING, attempt=3, max_attempts=3))

    assert (move.job.state, move.fact, move.target) == (FAILED, Fact.DEAD_LETTERED, Target.DEAD)


def test_a_worker_lost_on_the_last_attempt_makes_a_dead_letter() -> None:
    move = lapses(a_job_that_is(PROCESSING, attempt=3, max_attempts=3))

    assert (move.job.state, move.guard, move.target) == (FAILED, Guard.LAPSED, Target.DEAD)


def test_a_wait_beyond_the_ladder_is_announced_by_nobody() -> None:
    move = fails(a_failure(retry_after=timedelta(days=1)))(a_job_that_is(PROCESSING))

    assert (move.job.state, move.target, move.job.announced_at) == (RETRYING, Target.NONE, None)
