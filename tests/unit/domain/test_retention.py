"""How long what is over is kept."""

from datetime import timedelta

import pytest

from jobmill.domain.errors import InvalidInput
from jobmill.domain.retention import KEEP_MAX, KEEP_MIN, Retention
from jobmill.domain.states import DEAD, TERMINAL, JobState

from tests.builders import DAY, HOUR

TICK = timedelta(microseconds=1)


def test_every_finished_state_has_its_time_and_no_other() -> None:
    keep = Retention(done=HOUR, dead=DAY).by_state

    assert keep == {state: DAY if state in DEAD else HOUR for state in TERMINAL}


def test_what_is_kept_for_ever_has_no_time() -> None:
    assert set(Retention(done=None).by_state) == DEAD
    assert set(Retention(dead=None).by_state) == TERMINAL - DEAD
    assert Retention(done=None, dead=None).by_state == {}


def test_three_days_and_a_quarter_unless_told_otherwise() -> None:
    keep = Retention().by_state

    assert keep[JobState.SUCCEEDED] == timedelta(hours=72)
    assert keep[JobState.FAILED] == timedelta(days=90)


@pytest.mark.parametrize("span", [KEEP_MIN - TICK, KEEP_MAX + TICK, timedelta(0), -DAY])
def test_a_time_out_of_range_is_refused(span: timedelta) -> None:
    with pytest.raises(InvalidInput):
        Retention(done=span)
    with pytest.raises(InvalidInput):
        Retention(dead=span)
