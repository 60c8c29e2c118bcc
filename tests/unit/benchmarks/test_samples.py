"""Repetitions come to one figure, without those that the machine disturbed."""

from benchmarks.samples import figures
from tests.unit.benchmarks.measured import a_sample


def test_repetitions_of_one_measurement_are_one_figure() -> None:
    [figure] = figures([a_sample(100.0), a_sample(300.0), a_sample(200.0)])

    assert figure.value == 200.0
    assert figure.spread is not None
    assert (figure.spread.low, figure.spread.high, figure.spread.count) == (100.0, 300.0, 3)


def test_other_contenders_and_cases_are_other_figures() -> None:
    found = figures([a_sample(), a_sample(contender="celery"), a_sample(case="2 workers"), a_sample()])

    assert [(each.contender, each.case) for each in found] == [
        ("jobmill", "1 worker"),
        ("celery", "1 worker"),
        ("jobmill", "2 workers"),
    ]


def test_a_disturbed_repetition_is_left_out_and_counted() -> None:
    [figure] = figures([a_sample(10.0, foreign=0.5), a_sample(100.0), a_sample(120.0)])

    assert figure.value == 110.0
    assert figure.disturbed == 1
    assert not figure.is_doubtful


def test_where_all_were_disturbed_the_figure_is_doubtful() -> None:
    [figure] = figures([a_sample(10.0, foreign=0.5), a_sample(20.0, foreign=0.4)])

    assert figure.value == 15.0
    assert figure.is_doubtful


def test_a_contender_that_lost_a_job_once_has_no_figure() -> None:
    [figure] = figures([a_sample(100.0), a_sample(None, refused="1 of 3 jobs did not end")])

    assert figure.value is None
    assert figure.refused == "1 of 3 jobs did not end"


def test_further_figures_are_medians_of_those_that_have_them() -> None:
    [figure] = figures(
        [a_sample(more={"worker_us": 10.0}), a_sample(more={"worker_us": 30.0, "peak_mb": 5.0})]
    )

    assert figure.more == {"worker_us": 20.0, "peak_mb": 5.0}
