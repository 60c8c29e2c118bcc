"""Tables say what was measured, and why something was not."""

import pytest

from benchmarks.report.tables import failures, goals_table, number, rate_table, settings_table
from tests.unit.benchmarks.measured import a_sample, results_of


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0"), (0.456, "0.46"), (45.64, "45.6"), (456.4, "456"), (12_345.6, "12,346")],
)
def test_numbers_are_written_as_they_are_read(value: float | None, text: str) -> None:
    assert number(value) == text


def test_the_fastest_stands_first_and_says_how_much_faster_jobmill_is() -> None:
    results = results_of(
        a_sample(1_000.0, contender="celery"), a_sample(12_000.0), a_sample(10_000.0), a_sample(11_000.0)
    )

    first, second = rate_table(results, "drain", "1 worker").splitlines()[2:]

    assert first.startswith("| **Jobmill** | **11,000** (10,000–12,000, 3×) | 1.00 × |")
    assert second.startswith("| Celery | **1,000** | 11.0 × |")


def test_a_peer_without_a_figure_stands_in_the_table_with_its_reason() -> None:
    results = results_of(a_sample(), a_sample(None, contender="celery", refused="it ended\nwith | 1"))

    assert "| Celery | none: it ended with / 1 | – |" in rate_table(results, "drain", "1 worker")
    assert failures(results) == "- Celery, drain 1 worker: it ended with / 1"


def test_a_table_has_columns_for_what_was_measured_and_no_others() -> None:
    table = rate_table(results_of(a_sample(more={"worker_us": 25.0})), "drain", "1 worker")

    assert table.splitlines()[0] == "|  | jobs/s | Jobmill is | worker, µs |"
    assert table.splitlines()[2] == "| **Jobmill** | **100** | 1.00 × | 25.0 |"


def test_a_doubtful_figure_is_marked() -> None:
    assert "**100** (disturbed)" in rate_table(results_of(a_sample(foreign=0.5)), "drain", "1 worker")


def test_goals_say_what_was_wanted_and_what_came_of_it() -> None:
    table = goals_table(results_of(a_sample(12_000.0), a_sample(1_000.0, contender="celery")))

    assert "| drain, one worker, over Celery | ≥ 10.0 × | 12.0 × | yes |" in table
    assert "| HTTP batches | ≥ 8,000 jobs/s | – jobs/s | not measured |" in table


def test_settings_name_their_source() -> None:
    assert "| Jobmill | `JOBMILL_LOG=warning` | quiet | docs |" in settings_table(results_of())
