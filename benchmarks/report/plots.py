"""The plots of a run, by the names of their files; what was not measured has none."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from benchmarks.report.svg import Bar, Line, bars, lines
from benchmarks.report.tables import OURS, number
from benchmarks.results import Results
from benchmarks.samples import Figure


def plots(results: Results) -> Mapping[str, str]:
    """Return the SVG of each plot."""
    found: dict[str, str] = {}
    for name, measure, case, title in (
        ("drain", "drain", "1 worker", "No-op jobs drained per second, one worker"),
        ("drain2", "drain", "2 workers", "No-op jobs drained per second, two workers"),
        ("submit", "submit", "single", "Jobs submitted singly per second, one process"),
        ("io", "io", "", "Jobs of 500 ms per second, one worker"),
    ):
        if rows := _bars(results, measure, case):
            found[name] = bars(title, rows)
    if series := _latencies(results):
        found["latency"] = lines("Latency, submission to start: p50 in ms", series, x_title="jobs per second")
    for curve, points in _curves(results.figures):
        title = f"Jobs drained per second over {curve}"
        found[f"growth-{curve.replace(' ', '-')}"] = lines(title, [points], x_title=curve)
    return found


def _bars(results: Results, measure: str, case: str) -> Sequence[Bar]:
    rows = [
        Bar(
            name=str(results.contenders.get(each.contender, {}).get("title", each.contender)),
            value=each.value,
            label=number(each.value),
            is_ours=each.contender == OURS,
        )
        for each in results.figures
        if each.measure == measure and each.case == case and each.value is not None
    ]
    return sorted(rows, key=lambda bar: -bar.value)


def _latencies(results: Results) -> Sequence[Line]:
    series: dict[str, list[tuple[float, float]]] = {}
    for each in results.figures:
        if each.measure == "latency" and each.value is not None and each.case.endswith("/s"):
            series.setdefault(each.contender, []).append((float(each.case.removesuffix("/s")), each.value))
    return [Line(name=name, points=points) for name, points in series.items()]


def _curves(figures: Sequence[Figure]) -> Sequence[tuple[str, Line]]:
    """Return the curves of growth: a case is a curve's name and how far, as in ``backlog 10,000``."""
    growing = [each for each in figures if each.measure == "growth" and each.value is not None]
    by_curve = sorted(growing, key=_curve)
    curves = []
    for curve, group in groupby(by_curve, key=_curve):
        points = sorted(
            (float(each.case.rpartition(" ")[2].replace(",", "")), each.value or 0.0) for each in group
        )
        curves.append((curve, Line(name="Jobmill", points=points)))
    return curves


def _curve(figure: Figure) -> str:
    return figure.case.rpartition(" ")[0]
