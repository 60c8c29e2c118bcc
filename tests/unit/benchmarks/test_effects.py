"""What jobs did is counted in memory that processes share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.effects import Effects


@pytest.fixture
def effects(tmp_path: Path) -> Iterator[Effects]:
    made = Effects.make(tmp_path / "effects", 300)
    yield made
    made.close()


def test_nothing_has_happened_at_first(effects: Effects) -> None:
    assert effects.jobs == 300
    assert not effects.some_began()
    assert not effects.have_ended(1)


def test_a_run_is_seen_by_whoever_opened_the_same_file(effects: Effects, tmp_path: Path) -> None:
    other = Effects(tmp_path / "effects")
    other.run(7)
    other.close()

    assert effects.some_began()
    assert effects.runs()[7] == 1
    assert effects.started_ns()[7] == effects.ended_ns()[7] > 0
    assert sum(effects.runs()) == 1


def test_a_job_that_takes_time_ends_after_it_began(effects: Effects) -> None:
    effects.submit(3)
    effects.begin(3)

    assert effects.ended_ns()[3] == 0

    effects.end(3)

    assert effects.submitted_ns()[3] <= effects.started_ns()[3] <= effects.ended_ns()[3]


def test_a_second_run_is_counted(effects: Effects) -> None:
    effects.run(5)
    effects.run(5)

    assert effects.runs()[5] == 2


@pytest.mark.parametrize("missing", [0, 96, 97, 194, 299])
def test_all_have_ended_only_when_the_last_has(effects: Effects, missing: int) -> None:
    for number in range(300):
        if number != missing:
            effects.run(number)

    assert not effects.have_ended(300)
    assert effects.have_ended(299)

    effects.run(missing)

    assert effects.have_ended(300)


def test_the_first_jobs_of_many_are_enough_where_fewer_are_wanted(effects: Effects) -> None:
    for number in range(1, 51):
        effects.run(number)

    assert effects.have_ended(50)
    assert not effects.have_ended(51)
