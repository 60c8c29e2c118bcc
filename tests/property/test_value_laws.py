"""Laws of single values: delays, rungs, keys, wishes, kept texts."""

import string
from datetime import timedelta
from uuid import UUID

from hypothesis import assume, given, reject
from hypothesis import strategies as st

from jobmill.domain.errors import InvalidInput
from jobmill.domain.failure import ERROR_CHARS_MAX, STACK_CHARS_MAX, Failure, FailureKind
from jobmill.domain.idempotency import Conflict, KeyClaim, New, Replay, judge
from jobmill.domain.job import Job
from jobmill.domain.job_type import TypeRules, queue_name, type_name
from jobmill.domain.ladder import LATE_AFTER, REACH, RUNGS_S, overdue_after, rung_for
from jobmill.domain.lease import LeasePolicy
from jobmill.domain.options import DELAY_MAX, JobOptions
from jobmill.domain.retry_policy import GiveUp, RetryIn, RetryPolicy
from jobmill.domain.states import JobState

from tests.builders import NOW
from tests.property.values import MICROSECOND, delays, fractions, lifetimes, policies

# --- the retry policy ---


@given(policy=policies(), attempt=st.integers(1, 100), fraction=fractions())
def test_a_delay_is_never_shorter_than_the_policy_says(
    policy: RetryPolicy, attempt: int, fraction: float
) -> None:
    grown = min(policy.cap.total_seconds(), policy.base.total_seconds() * policy.factor**attempt)

    delay = policy.delay_after(attempt, fraction=fraction)

    assert timedelta(seconds=grown) <= delay <= timedelta(seconds=grown * (1 + policy.jitter))


@given(policy=policies(), attempt=st.integers(1, 100), fraction=fractions())
def test_a_delay_is_bounded_by_the_cap_and_its_jitter(
    policy: RetryPolicy, attempt: int, fraction: float
) -> None:
    assert policy.delay_after(attempt, fraction=fraction) <= policy.cap * (1 + policy.jitter) + MICROSECOND


@given(policy=policies(), attempt=st.integers(1, 99), fraction=fractions())
def test_a_later_attempt_never_waits_less(policy: RetryPolicy, attempt: int, fraction: float) -> None:
    sooner = policy.delay_after(attempt, fraction=fraction)
    later = policy.delay_after(attempt + 1, fraction=fraction)

    assert sooner <= later


@given(policy=policies(), attempt=st.integers(1, 100), one=fractions(), other=fractions())
def test_more_chance_never_waits_less(policy: RetryPolicy, attempt: int, one: float, other: float) -> None:
    less, more = sorted((one, other))

    assert policy.delay_after(attempt, fraction=less) <= policy.delay_after(attempt, fraction=more)


@given(
    policy=policies(),
    kind=st.sampled_from(FailureKind),
    attempt=st.integers(1, 100),
    max_attempts=st.integers(1, 100),
    fraction=fractions(),
    retry_after=st.none() | delays(),
)
def test_there_is_another_attempt_exactly_if_one_is_left_and_may_help(
    policy: RetryPolicy,
    kind: FailureKind,
    attempt: int,
    max_attempts: int,
    fraction: float,
    retry_after: timedelta | None,
) -> None:
    failure = Failure(kind=kind, message="x", retry_after=retry_after)

    decision = policy.decide(failure, attempt=attempt, max_attempts=max_attempts, fraction=fraction)

    if attempt < max_attempts and not failure.is_final:
        wait = policy.delay_after(attempt, fraction=fraction) if retry_after is None else retry_after
        assert decision == RetryIn(delay=wait)
    else:
        assert decision == GiveUp()


# --- the ladder ---


@given(delay=delays())
def test_a_rung_is_the_lowest_that_does_not_end_early(delay: timedelta) -> None:
    rung = rung_for(delay)

    if rung is None:
        assert delay > REACH
    else:
        assert timedelta(seconds=rung) >= delay
        assert all(timedelta(seconds=lower) < delay for lower in RUNGS_S if lower < rung)


@given(delay=delays())
def test_nobody_waits_longer_than_twice_the_delay_and_the_slack(delay: timedelta) -> None:
    late = overdue_after(delay)

    assert late >= delay
    assert late <= 2 * max(delay, timedelta(seconds=1)) + delay + LATE_AFTER


@given(one=delays(), other=delays())
def test_a_longer_delay_never_takes_a_lower_rung(one: timedelta, other: timedelta) -> None:
    lower, higher = rung_for(min(one, other)), rung_for(max(one, other))
    assume(higher is not None)

    assert lower is not None
    assert higher is not None
    assert lower <= higher


# --- keys ---

ids = st.integers(0, 3).map(lambda number: UUID(int=number))
fingerprints = st.sampled_from(["", "a", "b"])


@given(mine=ids, holder=ids, asked=fingerprints, kept=fingerprints)
def test_a_key_has_one_job_whatever_is_asked(mine: UUID, holder: UUID, asked: str, kept: str) -> None:
    claim = KeyClaim(scope="s", key="k", fingerprint=asked)

    match judge(claim, mine, holder=holder, fingerprint=kept):
        case New():
            assert holder == mine
        case Replay(job_id=job_id):
            assert job_id == holder != mine
            assert asked == kept
        case Conflict(job_id=job_id, key=key):
            assert job_id == holder != mine
            assert key == "k"
            assert asked != kept


# --- wishes ---


@given(
    delay=st.none() | st.timedeltas(min_value=-timedelta(days=1), max_value=2 * DELAY_MAX),
    ttl=st.none() | st.timedeltas(min_value=-timedelta(days=1), max_value=2 * DELAY_MAX),
    max_attempts=st.none() | st.integers(-5, 200),
    correlation_id=st.none() | st.text(max_size=300),
    tags=st.lists(st.text(max_size=60), max_size=12).map(tuple),
)
def test_wishes_that_pass_the_check_make_a_job(
    delay: timedelta | None,
    ttl: timedelta | None,
    max_attempts: int | None,
    correlation_id: str | None,
    tags: tuple[str, ...],
) -> None:
    wishes = JobOptions(
        delay=delay, ttl=ttl, max_attempts=max_attempts, correlation_id=correlation_id, tags=tags
    )
    try:
        wishes.check()
    except InvalidInput:
        return

    job = Job.submit(TypeRules(name="x"), wishes, "{}", job_id=UUID(int=1), now=NOW, stamp=0)
    assert 1 <= job.max_attempts <= 100
    assert job.run_at is None or NOW < job.run_at <= NOW + DELAY_MAX
    assert job.ttl is None or job.expires_at == (job.run_at or NOW) + job.ttl
    assert all("\n" not in text and "\0" not in text for text in (job.correlation_id or "", *job.tags))


@given(mine=st.none() | lifetimes(), types=st.none() | lifetimes(), delay=st.none() | delays())
def test_the_end_of_a_jobs_time_is_its_due_time_and_the_shorter_life(
    mine: timedelta | None, types: timedelta | None, delay: timedelta | None
) -> None:
    rules, wishes = TypeRules(name="x", ttl=types), JobOptions(ttl=mine, delay=delay)

    job = Job.submit(rules, wishes, "{}", job_id=UUID(int=1), now=NOW, stamp=0)

    due = job.run_at or NOW
    lives = [life for life in (mine, types) if life is not None]
    assert job.expires_at == (due + min(lives) if lives else None)
    assert (job.state is JobState.SCHEDULED) == (due > NOW)
    assert not job.is_expired(due)


# --- names and texts ---


@given(name=st.text(alphabet=string.printable + "äß", max_size=110))
def test_a_name_is_taken_in_its_one_form_or_refused(name: str) -> None:
    try:
        taken = type_name(name)
    except InvalidInput:
        return
    assert taken == name.lower() == type_name(taken)
    assert taken.isascii()


@given(name=st.text(alphabet=string.ascii_letters + string.digits + "-_.", max_size=60))
def test_the_name_of_a_queue_is_never_changed(name: str) -> None:
    try:
        taken = queue_name(name)
    except InvalidInput:
        return
    assert taken == name


@given(text=st.text(st.characters(), max_size=50), times=st.integers(0, 2_000))
def test_texts_of_a_failure_are_bounded_storable_and_cut_at_one_end(text: str, times: int) -> None:
    long = text * times
    storable = "".join("?" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in long)

    failure = Failure(kind=FailureKind.TRANSIENT, message=long, stack=long)

    assert failure.stack is not None
    if len(long) <= ERROR_CHARS_MAX:
        assert failure.message == storable
    else:
        assert failure.message == storable[: ERROR_CHARS_MAX - 1] + "…"
    if len(long) <= STACK_CHARS_MAX:
        assert failure.stack == storable
    else:
        assert failure.stack == "…" + storable[len(storable) - STACK_CHARS_MAX + 1 :]


# --- leases ---


@given(
    ttl=st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(seconds=30)),
    margin=st.timedeltas(min_value=MICROSECOND, max_value=timedelta(seconds=5)),
    renew_every=st.timedeltas(min_value=MICROSECOND, max_value=timedelta(seconds=30)),
    sent_s=st.floats(0, 1e6),
)
def test_belief_ends_before_the_lease_and_after_two_renewals(
    ttl: timedelta, margin: timedelta, renew_every: timedelta, sent_s: float
) -> None:
    try:
        policy = LeasePolicy(ttl=ttl, margin=margin, renew_every=renew_every)
    except InvalidInput:
        reject()

    end = policy.belief_ends(sent_s)

    assert end < sent_s + ttl.total_seconds()
    assert end >= sent_s + 2 * renew_every.total_seconds() - 1e-6
