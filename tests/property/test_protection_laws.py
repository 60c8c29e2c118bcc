"""Laws of what protects providers: rates are kept, breakers open for reasons, limits stay within bounds."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from jobmill.domain.call_window import CallWindow
from jobmill.domain.circuit_breaker import Breaker, BreakerPolicy, BreakerState
from jobmill.domain.concurrency_limit import ConcurrencyLimit
from jobmill.domain.retry_budget import RESERVE, RetryBudget
from jobmill.domain.token_bucket import RateLimit, TokenBucket

from tests.builders import NOW

POLICY = BreakerPolicy()

limits = st.builds(RateLimit, per_s=st.floats(0.01, 1_000), burst=st.integers(1, 50))
gaps_s = st.lists(st.floats(0, 5), max_size=60)
#: Seconds since the last, how many calls, and how many of ten of them failed.
bouts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(0, 10)), max_size=20)


@given(limit=limits, gaps=gaps_s)
def test_no_span_of_time_sees_more_than_the_burst_and_its_share(limit: RateLimit, gaps: list[float]) -> None:
    bucket, now_s, times = TokenBucket.full(limit, now_s=0.0), 0.0, []
    for gap_s in gaps:
        now_s += gap_s
        taken = bucket.take(now_s)
        bucket = taken.bucket
        if taken.wait_s == 0:
            times.append(now_s)

    for first, begin_s in enumerate(times):
        for last, end_s in enumerate(times[first:], first):
            assert last - first + 1 <= limit.burst + limit.per_s * (end_s - begin_s) + 0.01


@given(limit=limits, gaps=gaps_s)
def test_nobody_in_the_line_is_told_an_earlier_time_than_the_one_before(
    limit: RateLimit, gaps: list[float]
) -> None:
    bucket, now_s, told_s = TokenBucket.full(limit, now_s=0.0), 0.0, 0.0
    for gap_s in gaps:
        now_s += gap_s / 10
        taken = bucket.take(now_s)
        bucket = taken.bucket
        if taken.wait_s:
            assert now_s + taken.wait_s >= told_s - 0.001
            told_s = now_s + taken.wait_s


@given(first_attempts=st.integers(0, 300), share=st.floats(0, 1))
def test_retries_are_at_most_their_share_and_the_reserve(first_attempts: int, share: float) -> None:
    budget, made = RetryBudget.fresh(share, now_s=0.0), 0
    for _ in range(first_attempts):
        budget = budget.first_attempt(0.0)
        budget, wait_s = budget.retry(0.0)
        made += wait_s == 0

    assert made <= share * first_attempts + RESERVE.burst + 0.01


@given(bouts=bouts)
def test_a_breaker_opens_only_for_enough_calls_of_which_half_failed(
    bouts: list[tuple[int, int, int]],
) -> None:
    breaker, now, seen = Breaker(state=BreakerState.CLOSED, since=NOW), NOW, []
    for gap_s, calls, tenths in bouts:
        now += timedelta(seconds=gap_s)
        seen.append((now, calls, calls * tenths // 10))
        window = CallWindow.of(calls=calls, failures=calls * tenths // 10, now=now)
        breaker = breaker.tally(window, now=now, policy=POLICY)
        if not breaker.is_closed:
            break

    recent = [(calls, failed) for at, calls, failed in seen if now - at < POLICY.window]
    if not breaker.is_closed:
        assert sum(calls for calls, _ in recent) >= POLICY.calls_min
        assert sum(failed for _, failed in recent) > 0
        assert breaker.window.failures >= POLICY.failure_share * breaker.window.calls
    assert len(breaker.window.slots) <= POLICY.window // timedelta(seconds=5) + 1


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 70), st.integers(1, 4), st.sampled_from(["begin", "well", "bad", "busy"])),
        max_size=40,
    )
)
def test_there_is_never_a_second_probe_while_one_may_be_answered(steps: list[tuple[int, int, str]]) -> None:
    all_failed = CallWindow.of(calls=10, failures=10, now=NOW)
    breaker = Breaker(state=BreakerState.CLOSED, since=NOW).tally(all_failed, now=NOW, policy=POLICY)
    now, holder, until = NOW, None, NOW
    for gap_s, stamp, step in steps:
        now += timedelta(seconds=gap_s)
        if step == "begin":
            begun = breaker.begin_probe(stamp, now=now, policy=POLICY)
            if begun is not None:
                assert holder is None or now >= until
                breaker, holder, until = begun, stamp, now + POLICY.probe_within
        else:
            before = breaker
            breaker = _ended(before, step, stamp, now=now)
            assert (breaker is before) == (stamp != holder)
            if breaker is not before:
                holder = None


@given(
    highest=st.integers(1, 200),
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=100),
)
def test_a_limit_stays_between_one_and_the_highest(highest: int, steps: list[tuple[bool, int]]) -> None:
    limit = ConcurrencyLimit(highest=highest)
    for is_well, in_flight in steps:
        limit = limit.bore(in_flight) if is_well else limit.strained(in_flight)
        assert 1 <= limit.limit <= highest


def _ended(breaker: Breaker, how: str, stamp: int, *, now: datetime) -> Breaker:
    if how == "well":
        return breaker.probe_succeeded(stamp, now=now, policy=POLICY)
    if how == "bad":
        return breaker.probe_failed(stamp, now=now, policy=POLICY)
    return breaker.probe_undecided(stamp, now=now, wait=timedelta(seconds=1))
