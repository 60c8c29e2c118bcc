"""Goals are judged by the figures of one run, and not at all where these are missing."""

from benchmarks.goals import GOALS, verdicts
from benchmarks.samples import Sample, figures
from tests.unit.benchmarks.measured import a_sample


def judged(text: str, *samples: Sample) -> tuple[float | None, bool | None]:
    [verdict] = [each for each in verdicts(figures(samples)) if each.goal.text == text]
    return verdict.number, verdict.is_met


def test_no_two_goals_are_called_the_same() -> None:
    assert len({each.text for each in GOALS}) == len(GOALS)


def test_nothing_measured_is_nothing_met_and_nothing_missed() -> None:
    assert {each.is_met for each in verdicts([])} == {None}


def test_a_ratio_that_reaches_its_bound_is_met() -> None:
    drain = "drain, one worker, over Celery"
    celery = a_sample(1_000.0, contender="celery")

    assert judged(drain, a_sample(10_000.0), celery) == (10.0, True)
    assert judged(drain, a_sample(9_990.0), celery) == (9.99, False)


def test_the_fastest_of_several_peers_is_what_counts() -> None:
    over = "drain, over the fastest of FastStream, Taskiq, Dramatiq"
    peers = [a_sample(1_000.0, contender="taskiq"), a_sample(2_000.0, contender="faststream")]

    assert judged(over, a_sample(10_000.0), *peers) == (5.0, True)


def test_a_peer_without_a_figure_is_no_measure() -> None:
    refused = a_sample(None, contender="celery", refused="it ended with 1")

    assert judged("drain, one worker, over Celery", a_sample(), refused) == (None, None)


def test_latency_must_not_be_above_its_bound() -> None:
    text = "latency at 20/s, p99 over p50"

    def waited(p99: float) -> Sample:
        return a_sample(2.0, measure="latency", case="20/s", unit="ms", more={"p99": p99})

    assert judged(text, waited(6.0)) == (3.0, True)
    assert judged(text, waited(6.1)) == (3.05, False)


def test_growth_is_compared_with_where_it_began() -> None:
    text = "drain beside 10,000,000 finished jobs, over none"
    small = a_sample(10_000.0, measure="growth", case="finished jobs 0")
    large = a_sample(9_000.0, measure="growth", case="finished jobs 10,000,000")

    assert judged(text, small, large) == (0.9, True)
