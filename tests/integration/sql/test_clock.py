"""``DatabaseClock``: never ahead of the database, and soon back when it was wrong."""

from datetime import timedelta

from attrs import define

from jobmill.adapters.sql.clock import DatabaseClock, Sample

from tests.builders import HOUR, NOW, SECOND

MILLISECOND = timedelta(milliseconds=1)


@define
class Monotonic:
    """A monotonic clock that a test moves."""

    at_s: float = 100.0

    def __call__(self) -> float:
        return self.at_s


def a_clock(*, error_s: float = 0.01) -> tuple[DatabaseClock, Monotonic]:
    monotonic = Monotonic()
    best = Sample(shown=NOW, at_s=monotonic.at_s, error_s=error_s)
    return DatabaseClock(monotonic=monotonic, best=best), monotonic


def test_it_goes_on_from_its_sample_with_the_monotonic_clock() -> None:
    clock, monotonic = a_clock()

    monotonic.at_s += 90

    assert clock.now() == NOW + 90 * SECOND


def test_a_more_exact_sample_is_taken() -> None:
    clock, monotonic = a_clock(error_s=0.5)

    clock.learn(Sample(shown=NOW + 100 * MILLISECOND, at_s=monotonic.at_s, error_s=0.001))

    assert clock.now() == NOW + 100 * MILLISECOND


def test_a_sample_that_was_long_on_its_way_is_not_taken() -> None:
    clock, monotonic = a_clock(error_s=0.001)

    clock.learn(Sample(shown=NOW + 300 * MILLISECOND, at_s=monotonic.at_s, error_s=0.4))

    assert clock.now() == NOW


def test_an_old_sample_gives_way_to_a_young_one_that_is_nearly_as_exact() -> None:
    clock, monotonic = a_clock(error_s=0.001)

    monotonic.at_s += 100
    clock.learn(Sample(shown=NOW + 100 * SECOND + MILLISECOND, at_s=monotonic.at_s, error_s=0.005))

    assert clock.now() == NOW + 100 * SECOND + MILLISECOND


def test_a_database_that_jumped_is_followed_at_once() -> None:
    for jump in (HOUR, -HOUR):
        clock, monotonic = a_clock(error_s=0.001)
        assert clock.now() == NOW

        clock.learn(Sample(shown=NOW + jump, at_s=monotonic.at_s, error_s=0.4))

        assert clock.now() == NOW + jump


def test_a_small_correction_never_turns_it_back() -> None:
    clock, monotonic = a_clock(error_s=0.05)
    assert clock.now() == NOW

    clock.learn(Sample(shown=NOW - 20 * MILLISECOND, at_s=monotonic.at_s, error_s=0.001))
    assert clock.now() == NOW
    monotonic.at_s += 1

    assert clock.now() == NOW + SECOND - 20 * MILLISECOND
