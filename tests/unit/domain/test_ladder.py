"""The ladder of retry queues."""

from datetime import timedelta

import pytest

from jobmill.domain.ladder import LATE_AFTER, REACH, RUNGS_S, overdue_after, rung_for

MICROSECOND = timedelta(microseconds=1)


def test_the_rungs_double_from_one_second_to_over_an_hour() -> None:
    assert RUNGS_S == (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
    assert timedelta(seconds=4096) == REACH


@pytest.mark.parametrize("rung", RUNGS_S)
def test_a_delay_goes_to_the_lowest_rung_that_does_not_end_before_it(rung: int) -> None:
    exact = timedelta(seconds=rung)

    assert rung_for(exact) == rung
    assert rung_for(exact - MICROSECOND) == rung
    assert rung_for(exact + MICROSECOND) == (2 * rung if exact < REACH else None)


@pytest.mark.parametrize("delay", [timedelta(0), -timedelta(days=1), MICROSECOND])
def test_no_delay_and_a_past_one_take_the_lowest_rung(delay: timedelta) -> None:
    assert rung_for(delay) == 1


@pytest.mark.parametrize(("seconds", "late"), [(0, 1), (1, 1), (3, 4), (4096, 4096)])
def test_a_notice_in_the_ladder_is_late_after_its_delay_a_rung_and_slack(seconds: int, late: int) -> None:
    delay = timedelta(seconds=seconds)

    assert overdue_after(delay) == delay + timedelta(seconds=late) + LATE_AFTER


def test_a_delay_beyond_the_ladder_is_due_at_its_own_time() -> None:
    assert overdue_after(REACH + MICROSECOND) == REACH + MICROSECOND
