"""Which suspects may begin beside which."""

import pytest

from jobmill.application.suspects import Suspects
from jobmill.domain.job import Job

from tests.builders import a_job


def a_suspect(*, attempt: int = 1) -> Job:
    return a_job(suspect=True, attempt=attempt, max_attempts=3)


@pytest.fixture
def suspects() -> Suspects:
    return Suspects(trials_max=2)


def test_what_is_no_suspect_always_begins(suspects: Suspects) -> None:
    for _ in range(3):
        suspects.begin(a_suspect())
    suspects.begin(a_suspect(attempt=2))

    assert suspects.admits(a_job(attempt=2, max_attempts=3))


def test_so_many_are_on_trial_at_once(suspects: Suspects) -> None:
    first, second = a_suspect(), a_suspect()
    suspects.begin(first)
    assert suspects.admits(second)
    suspects.begin(second)
    assert not suspects.admits(a_suspect())

    assert suspects.passed(first.id)

    assert suspects.admits(a_suspect())


def test_one_that_ends_makes_room(suspects: Suspects) -> None:
    first = a_suspect()
    suspects.begin(first)
    suspects.begin(a_suspect())

    suspects.ended(first.id)

    assert suspects.admits(a_suspect())


def test_a_last_attempt_begins_beside_no_trial(suspects: Suspects) -> None:
    other, last = a_suspect(), a_suspect(attempt=2)
    suspects.begin(other)
    assert not suspects.admits(last)

    suspects.passed(other.id)

    assert suspects.admits(last)


def test_none_begins_beside_a_last_attempt_until_it_has_ended(suspects: Suspects) -> None:
    last = a_suspect(attempt=2)
    suspects.begin(last)

    assert not suspects.passed(last.id)
    assert not suspects.admits(a_suspect())
    assert not suspects.admits(a_suspect(attempt=2))
    suspects.ended(last.id)
    assert suspects.admits(a_suspect())
    assert suspects.admits(a_suspect(attempt=2))


def test_what_was_never_on_trial_changes_nothing(suspects: Suspects) -> None:
    stranger = a_job()
    suspects.begin(stranger)

    assert not suspects.passed(stranger.id)
    suspects.ended(stranger.id)
    assert suspects.admits(a_suspect(attempt=2))
