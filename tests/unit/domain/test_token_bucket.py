"""Tokens that grow at an even rate, and the line of those who found none."""

import pytest
from attrs import evolve

from jobmill.domain.errors import InvalidInput
from jobmill.domain.token_bucket import BURST_MAX, PER_S_MAX, WAIT_MAX_S, RateLimit, TokenBucket

TEN_A_SECOND = RateLimit(per_s=10, burst=3)


def emptied(limit: RateLimit = TEN_A_SECOND) -> TokenBucket:
    bucket = TokenBucket.full(limit, now_s=0.0)
    for _ in range(limit.burst):
        taken = bucket.take(0.0)
        assert taken.wait_s == 0
        bucket = taken.bucket
    return bucket


def test_a_burst_passes_at_once_and_then_there_is_none() -> None:
    assert emptied().take(0.0).wait_s == pytest.approx(0.1)


def test_tokens_grow_with_time_up_to_the_burst() -> None:
    bucket = emptied()

    assert bucket.add(0.0, now_s=0.25).tokens == pytest.approx(2.5)
    assert bucket.add(0.0, now_s=1_000.0).tokens == 3


def test_whoever_waited_as_told_finds_a_token() -> None:
    taken = emptied().take(0.03)

    assert taken.bucket.take(0.03 + taken.wait_s).wait_s == 0


def test_a_crowd_is_told_to_come_one_by_one() -> None:
    bucket, waits = emptied(), []
    for _ in range(4):
        taken = bucket.take(0.0)
        bucket = taken.bucket
        waits.append(taken.wait_s)

    assert waits == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_the_line_is_forgotten_when_its_time_is_over() -> None:
    bucket = emptied().take(0.0).bucket
    late = evolve(bucket, tokens=0.0, at_s=100.0)

    assert late.take(100.0).wait_s == pytest.approx(0.1)


def test_nobody_waits_longer_than_an_hour_but_for_a_rate_below_that() -> None:
    bucket = emptied(RateLimit(per_s=0.001, burst=1))
    for _ in range(9):
        bucket = bucket.take(0.0).bucket

    assert bucket.take(0.0).wait_s == WAIT_MAX_S
    assert emptied(RateLimit(per_s=1 / 86_400, burst=1)).take(0.0).wait_s == pytest.approx(86_400)


def test_a_clock_that_goes_back_stands_still() -> None:
    bucket = emptied().add(0.0, now_s=0.2)

    assert bucket.add(0.0, now_s=0.1) == bucket


@pytest.mark.parametrize(
    ("per_s", "burst", "pointers"),
    [
        (0.0, 1, ["/rate"]),
        (PER_S_MAX + 1, 1, ["/rate"]),
        (float("nan"), 1, ["/rate"]),
        (1.0, 0, ["/burst"]),
        (1.0, BURST_MAX + 1, ["/burst"]),
        (-1.0, -1, ["/rate", "/burst"]),
    ],
)
def test_nonsense_is_refused_by_its_name(per_s: float, burst: int, pointers: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        RateLimit(per_s=per_s, burst=burst)

    assert [fault.pointer for fault in refusal.value.faults] == pointers
