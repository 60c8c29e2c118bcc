"""The numbers of the benchmark suite are what they say they are."""

import pytest

from benchmarks.arithmetic import Spread, latencies_ms, most_at_once, percentile, rates, ratio

SECOND = 1_000_000_000


def test_a_spread_has_the_median_and_both_ends() -> None:
    assert Spread.of([30.0, 10.0, 20.0]) == Spread(median=20.0, low=10.0, high=30.0, count=3)
    assert Spread.of([10.0, 20.0]).median == 15.0


def test_a_rate_is_over_the_time_from_the_first_start_to_the_last_end() -> None:
    starts = [SECOND, 2 * SECOND, 3 * SECOND]
    ends = [4 * SECOND, 5 * SECOND, 7 * SECOND]

    assert rates(starts, ends).whole == pytest.approx(3 / 6)


def test_the_steady_rate_leaves_out_a_slow_beginning_and_a_slow_end() -> None:
    ends = [1, *range(100 * SECOND, 118 * SECOND, SECOND), 1_000 * SECOND]

    assert rates(ends, ends).steady == pytest.approx(1.0)
    assert rates(ends, ends).whole < 0.1


def test_jobs_that_did_not_end_are_in_no_rate() -> None:
    assert rates([1, SECOND, SECOND], [SECOND + 1, 2 * SECOND + 1, 0]).whole == pytest.approx(1.0)


@pytest.mark.parametrize("ends", [[], [0, 0], [5 * SECOND]])
def test_fewer_than_two_ended_jobs_have_no_rate(ends: list[int]) -> None:
    with pytest.raises(ValueError, match="no rate"):
        rates([SECOND], ends)


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1), (0.0, 1)]
)
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile(range(100, 0, -1), share) == value


def test_of_few_values_the_high_percentiles_are_the_highest() -> None:
    assert percentile([1.0, 2.0, 3.0], 0.99) == 3.0
    assert percentile([7.0], 0.5) == 7.0


def test_a_latency_is_of_a_job_that_was_submitted_and_began() -> None:
    assert latencies_ms([SECOND, SECOND, 0], [SECOND + 2_500_000, 0, SECOND]) == [2.5]


def test_jobs_at_once_are_counted_where_they_overlap() -> None:
    assert most_at_once([1, 2, 9], [5, 6, 12]) == 2
    assert most_at_once([1, 5], [5, 9]) == 1


def test_a_ratio_needs_both_figures() -> None:
    assert ratio(30.0, 10.0) == 3.0
    assert ratio(None, 10.0) is None
    assert ratio(30.0, None) is None
    assert ratio(30.0, 0.0) is None
