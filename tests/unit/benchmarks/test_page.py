"""The page's measured parts are made anew, and what a person wrote stays."""

from pathlib import Path

import pytest

from benchmarks.report.page import PAGE, SECTIONS, render, report
from benchmarks.results import Results
from tests.unit.benchmarks.measured import a_sample, results_of

TEXT = "# Title\n\nProse.\n\n<!-- bench: goals -->\nold\n<!-- end -->\n\nMore prose.\n"


def test_only_what_stands_between_markers_changes() -> None:
    page = render(TEXT, results_of())

    assert page.startswith("# Title\n\nProse.\n\n<!-- bench: goals -->\n\n| goal |")
    assert page.endswith("|\n\n<!-- end -->\n\nMore prose.\n")
    assert "old" not in page


def test_rendering_twice_is_rendering_once() -> None:
    once = render(TEXT, results_of())

    assert render(once, results_of()) == once


def test_two_parts_are_two_parts() -> None:
    page = render(TEXT + TEXT.replace("goals", "place"), results_of())

    assert page.count("<!-- end -->") == 2
    assert page.count("More prose.") == 2


def test_a_section_shows_its_plots_and_no_others() -> None:
    results = results_of(
        a_sample(),
        a_sample(case="2 workers"),
        a_sample(measure="growth", case="backlog 10"),
        a_sample(measure="growth", case="finished jobs 10"),
    )

    drain, growth = (render(TEXT.replace("goals", name), results) for name in ("drain", "growth"))

    assert "![drain](performance/drain.svg)" in drain
    assert drain.count("![") == 1
    assert "(performance/growth-backlog.svg)" in growth
    assert "(performance/growth-finished-jobs.svg)" in growth


def test_a_marker_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no section speed"):
        render(TEXT.replace("goals", "speed"), results_of())


def test_a_marker_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="2 markers begin and 1 have an end"):
        render("<!-- bench: place -->\n\n" + TEXT, results_of())


def test_the_real_page_has_a_place_for_every_section() -> None:
    text = PAGE.read_text()

    assert [name for name in SECTIONS if f"<!-- bench: {name} -->" not in text] == []
    render(text, results_of(a_sample()))


def test_a_report_leaves_out_what_was_not_measured() -> None:
    text = report(results_of(a_sample()))

    assert "## drain" in text
    assert "## latency" not in text


def test_results_are_read_as_they_were_saved(tmp_path: Path) -> None:
    results = results_of(a_sample(more={"worker_us": 1.5}), a_sample(None, refused="because"))
    results.save(tmp_path / "results" / "one.json")

    assert list(Results.load(tmp_path / "results" / "one.json").samples) == list(results.samples)
