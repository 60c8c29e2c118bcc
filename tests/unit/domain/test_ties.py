"""What ties a job to others: it is held until they have ended, then let go once, or cancelled."""

from datetime import timedelta
from typing import Any

import pytest

from jobmill.domain.errors import IllegalTransition
from jobmill.domain.failure import FailureKind
from jobmill.domain.follow_up import follow_up, left_by
from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL, Fact, Guard, JobState, Target
from jobmill.domain.ties import Tally, Ties

from tests.builders import HOUR, NOW, SECOND, a_job, a_job_that_is, a_submitted_job, an_id

LATER = NOW + SECOND
BEFORE, BATCH = an_id(), an_id()


def a_held_job(**wishes: Any) -> Job:
    return a_submitted_job(**wishes).tied(Ties(follows=BEFORE, chain_depth=1))


def a_callback() -> Job:
    return a_submitted_job().tied(Ties(batch_size=3))


@pytest.mark.parametrize(
    "job", [a_held_job(), a_held_job(delay=HOUR), a_held_job(ttl=HOUR), a_callback()], ids=range(4)
)
def test_a_job_that_waits_for_others_is_scheduled_without_a_time(job: Job) -> None:
    assert (job.state, job.is_held, job.awaits) == (JobState.SCHEDULED, True, True)
    assert (job.wake_at, job.announced_at, job.expires_at) == (None, None, None)


def test_one_of_a_batch_does_not_wait() -> None:
    plain = a_submitted_job()

    tied = plain.tied(Ties(batch=BATCH))

    assert tied == plain.changed(batch=BATCH)
    assert (tied.is_tied, tied.is_held, tied.awaits) == (True, False, False)


def test_a_job_knows_the_batch_that_it_has_to_do_with() -> None:
    callback = a_callback()

    assert callback.batch_id == callback.id
    assert a_submitted_job().tied(Ties(batch=BATCH)).batch_id == BATCH
    assert a_job().batch_id is None


@pytest.mark.parametrize("ties", [Ties(follows=BEFORE), Ties(batch=BATCH), Ties(batch_size=1)])
def test_a_job_with_any_ties_is_tied(ties: Ties) -> None:
    assert a_job().tied(ties).is_tied
    assert not a_job().is_tied


def test_a_job_that_is_let_go_is_queued_with_what_it_inherits() -> None:
    held = a_held_job(ttl=HOUR)

    move = held.proceed(inherited="7", now=LATER, stamp=5)

    assert (move.fact, move.guard, move.target) == (Fact.RELEASED, Guard.NONE, Target.QUEUE)
    assert move.job == held.changed(
        state=JobState.QUEUED,
        version=2,
        stamp=5,
        updated_at=LATER,
        announced_at=LATER,
        expires_at=LATER + HOUR,
        inherited="7",
    )
    assert not move.job.awaits


def test_a_job_that_is_let_go_before_its_time_waits_for_that() -> None:
    held = a_held_job(delay=HOUR, ttl=HOUR)

    move = held.proceed(inherited="7", now=LATER, stamp=5)

    after = move.job
    assert (after.state, move.target, after.wake_at) == (JobState.SCHEDULED, Target.NONE, NOW + HOUR)
    assert (after.expires_at, after.announced_at, after.is_held) == (NOW + 2 * HOUR, None, False)
    assert after.release(now=NOW + HOUR, stamp=6).job.state is JobState.QUEUED


def test_a_job_that_is_let_go_after_its_time_is_queued() -> None:
    move = a_held_job(delay=SECOND).proceed(inherited="7", now=NOW + HOUR, stamp=5)

    assert move.job.state is JobState.QUEUED


def test_no_job_is_let_go_twice() -> None:
    for delay in (timedelta(0), HOUR):
        gone = a_held_job(delay=delay).proceed(inherited="null", now=LATER, stamp=5).job

        with pytest.raises(IllegalTransition, match="waits for no other"):
            gone.proceed(inherited="null", now=LATER, stamp=6)
        with pytest.raises(IllegalTransition, match="waits for no other"):
            gone.forgo(reason="x", now=LATER, stamp=6)


@pytest.mark.parametrize("state", JobState)
def test_a_job_without_ties_is_never_let_go(state: JobState) -> None:
    job = a_job_that_is(state)

    with pytest.raises(IllegalTransition):
        job.proceed(inherited="null", now=LATER, stamp=5)
    with pytest.raises(IllegalTransition):
        job.forgo(reason="x", now=LATER, stamp=5)


def test_a_held_job_is_released_by_no_clock() -> None:
    with pytest.raises(IllegalTransition, match="it waits for other jobs"):
        a_held_job().release(now=LATER, stamp=5)


def test_a_held_job_may_be_taken_back() -> None:
    assert a_held_job().cancel(now=LATER, stamp=5).job.state is JobState.CANCELLED


def test_who_follows_a_success_gets_its_result() -> None:
    done = a_job_that_is(JobState.SUCCEEDED, id=BEFORE, result='{"n":1}')

    move = follow_up(done, a_held_job(), now=LATER, stamp=5)

    assert (move.job.state, move.job.inherited) == (JobState.QUEUED, '{"n":1}')
    assert left_by(done.changed(result=None)) == "null"


@pytest.mark.parametrize("state", sorted(TERMINAL - {JobState.SUCCEEDED}, key=str))
def test_who_follows_any_other_end_is_cancelled_and_told_why(state: JobState) -> None:
    ended = a_job_that_is(state, id=BEFORE)

    move = follow_up(ended, a_held_job(), now=LATER, stamp=5)

    why = f"the job that it follows, {BEFORE}, is {state.value}; requeue that one first"
    assert (move.job.state, move.fact) == (JobState.CANCELLED, Fact.CANCELLED)
    assert (move.job.error, move.job.error_kind) == (why, FailureKind.PERMANENT)
    assert move.history is not None
    assert move.history.failure == move.failure


def test_a_job_that_was_never_let_go_starts_over_only_with_what_it_inherits() -> None:
    forgone = a_held_job().forgo(reason="x", now=LATER, stamp=5).job
    with pytest.raises(IllegalTransition, match="has to succeed or end first"):
        forgone.requeue(now=LATER, stamp=6)

    again = forgone.requeue(now=LATER, stamp=6, inherited="7", payload='{"to":"bob"}').job

    assert (again.state, again.inherited, again.payload) == (JobState.QUEUED, "7", '{"to":"bob"}')
    assert (again.error, again.awaits) == (None, False)


def test_a_job_that_was_let_go_starts_over_with_what_it_has() -> None:
    dead = a_job_that_is(JobState.FAILED, follows=BEFORE, inherited="7")

    assert dead.requeue(now=LATER, stamp=6).job.inherited == "7"


def test_a_tally_tells_what_is_open_and_what_is_gone() -> None:
    states = {JobState.SUCCEEDED: 2, JobState.RETRYING: 1, JobState.SCHEDULED: 3}

    tally = Tally(size=10, counts=states)

    assert (tally.unfinished, tally.gone, tally.is_over) == (4, 4, False)
    assert (tally.count(JobState.SUCCEEDED), tally.count(JobState.FAILED)) == (2, 0)


@pytest.mark.parametrize("state", JobState)
def test_a_batch_is_over_when_none_of_its_jobs_is_open(state: JobState) -> None:
    tally = Tally(size=3, counts={JobState.SUCCEEDED: 1, state: 1})

    assert tally.is_over == (state in TERMINAL)
