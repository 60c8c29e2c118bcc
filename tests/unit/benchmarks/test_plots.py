"""Plots are SVG that a browser can read, and show what they should."""

from xml.etree import ElementTree as ET

from benchmarks.report.plots import plots
from benchmarks.report.svg import WIDTH, Bar, Line, bars, lines
from tests.unit.benchmarks.measured import a_sample, results_of

SVG = "{http://www.w3.org/2000/svg}"


def test_the_longest_bar_fills_the_room_and_the_others_are_in_proportion() -> None:
    svg = ET.fromstring(
        bars("Speed", [Bar(name="A", value=200, label="200"), Bar(name="B", value=50, label="50")])
    )

    _, long, short = (float(each.get("width", "0").replace("%", "")) for each in svg.iter(f"{SVG}rect"))

    assert long < WIDTH
    assert short == long / 4


def test_text_is_escaped() -> None:
    svg = ET.fromstring(bars("<&'\">", [Bar(name="a<b", value=0, label="&")]))

    assert [each.text for each in svg.iter(f"{SVG}text")] == ["<&'\">", "a<b", "&"]


def test_a_line_rises_where_its_values_do_and_tenfold_steps_are_equal() -> None:
    svg = ET.fromstring(
        lines("Growth", [Line(name="J", points=[(10, 1), (100, 2), (1_000, 3)])], x_title="n")
    )

    [polyline] = svg.iter(f"{SVG}polyline")
    spots = [tuple(map(float, each.split(","))) for each in polyline.get("points", "").split()]

    assert spots[0][1] > spots[1][1] > spots[2][1]
    assert abs((spots[1][0] - spots[0][0]) - (spots[2][0] - spots[1][0])) < 0.2


def test_nothing_stands_left_of_everything() -> None:
    svg = ET.fromstring(lines("Rows", [Line(name="J", points=[(0, 5), (1_000, 4)])], x_title="rows"))

    [polyline] = svg.iter(f"{SVG}polyline")
    assert polyline.get("points", "").startswith("70.0,")


def test_no_values_are_an_empty_plot() -> None:
    ET.fromstring(bars("Nothing", []))
    ET.fromstring(lines("Nothing", [], x_title="n"))


def test_a_run_has_the_plots_of_what_it_measured() -> None:
    results = results_of(
        a_sample(),
        a_sample(measure="growth", case="finished jobs 0"),
        a_sample(90.0, measure="growth", case="finished jobs 1,000,000"),
        a_sample(2.0, measure="latency", case="20/s"),
        a_sample(None, measure="io", case="", refused="because"),
    )

    assert set(plots(results)) == {"drain", "latency", "growth-finished-jobs"}
