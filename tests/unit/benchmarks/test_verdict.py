"""A run has a figure only if it did its work."""

from benchmarks.instruments.verdict import refusal


def test_a_run_in_which_every_job_ran_once_has_a_figure() -> None:
    assert refusal(jobs=3, runs=[1, 1, 1], ended_ns=[5, 6, 7], kept=0) == ""
    assert refusal(jobs=3, runs=[1, 1, 1], ended_ns=[5, 6, 7], kept=None) == ""


def test_a_lost_job_costs_the_figure() -> None:
    assert refusal(jobs=3, runs=[1, 0, 1], ended_ns=[5, 0, 7], kept=0) == "1 of 3 jobs did not end (2 began)"


def test_a_job_that_began_and_did_not_end_costs_the_figure() -> None:
    assert refusal(jobs=2, runs=[1, 1], ended_ns=[5, 0], kept=0) == "1 of 2 jobs did not end (2 began)"


def test_a_job_that_ran_twice_costs_the_figure() -> None:
    assert refusal(jobs=2, runs=[1, 2], ended_ns=[5, 6], kept=0) == "1 of 2 jobs ran more than once"


def test_an_outcome_that_was_not_stored_costs_the_figure() -> None:
    assert refusal(jobs=2, runs=[1, 1], ended_ns=[5, 6], kept=2) == "2 of 2 jobs are still held as not done"
