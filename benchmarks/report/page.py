"""The report as a whole: on the terminal, and as the measured parts of ``docs/performance.md``."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.children import ROOT
from benchmarks.report import plots, tables
from benchmarks.results import Results

PAGE: Final = ROOT / "docs" / "performance.md"
PLOTS: Final = ROOT / "docs" / "performance"

_HTTP: Final = {
    "client_us": "µs CPU: client",
    "server_us": "API",
    "rabbitmq_us": "RabbitMQ",
    "postgresql_us": "PostgreSQL",
}
_GROWTH: Final = {"worker_us": "µs CPU: worker", "rabbitmq_us": "RabbitMQ", "postgresql_us": "PostgreSQL"}
_EMBEDDED: Final = {"submit_rate": "submitted/s", "process_us": "µs CPU", "peak_mb": "peak MB"}

#: What is made of the results, by the names that stand in the page's markers.
SECTIONS: Final[Mapping[str, Callable[[Results], str]]] = {
    "place": tables.place_table,
    "settings": tables.settings_table,
    "goals": tables.goals_table,
    "drain": lambda results: tables.rate_table(results, "drain", "1 worker"),
    "drain2": lambda results: tables.rate_table(results, "drain", "2 workers"),
    "submit": lambda results: tables.rate_table(results, "submit", "single"),
    "submit-100": lambda results: tables.rate_table(results, "submit", "batches of 100"),
    "submit-500": lambda results: tables.rate_table(results, "submit", "batches of 500"),
    "submit-file": lambda results: tables.rate_table(results, "submit", "file"),
    "http": lambda results: tables.case_table(results, "http", _HTTP),
    "latency": tables.latency_table,
    "io": lambda results: tables.rate_table(results, "io", ""),
    "embedded": lambda results: tables.case_table(results, "embedded", _EMBEDDED),
    "idle": tables.idle_table,
    "growth": lambda results: tables.case_table(results, "growth", _GROWTH),
    "failures": tables.failures,
}
#: A table's head and the line below it.
_EMPTY_LINES: Final = 2


def report(results: Results) -> str:
    """Return all that a run measured, in Markdown; what it did not measure is left out."""
    made = {name: make(results) for name, make in SECTIONS.items()}
    filled = {name: text for name, text in made.items() if text.count("\n") + 1 != _EMPTY_LINES}
    return "".join(f"## {name}\n\n{text}\n\n" for name, text in filled.items())


def render(page: str, results: Results) -> str:
    """Return a page with what stands between its markers made anew; all else stays as it was written.

    A marker is a line ``<!-- bench: NAME -->``, its end a line ``<!-- end -->``.

    Raises:
        ValueError: a marker names nothing, or has no end.
    """
    begins = len(re.findall(r"^<!-- bench: ", page, re.MULTILINE))
    rendered, count = _MARKED.subn(lambda found: _between(found, results), page)
    if begins != count:
        raise ValueError(f"{begins} markers begin and {count} have an end")
    return rendered


_MARKED: Final = re.compile(
    r"^<!-- bench: (\S+) -->\n(?:(?!<!-- bench: ).)*?^<!-- end -->$", re.MULTILINE | re.DOTALL
)


def _between(found: re.Match[str], results: Results) -> str:
    name = found[1]
    if name not in SECTIONS:
        raise ValueError(f"there is no section {name}; known are {', '.join(SECTIONS)}")
    shown = [SECTIONS[name](results), *_pictures(name, results)]
    return "\n\n".join([f"<!-- bench: {name} -->", *shown, "<!-- end -->"])


def _pictures(section: str, results: Results) -> list[str]:
    """Return what shows the plots of a section: those of its name, or of names that begin with it."""
    return [
        f"![{plot.replace('-', ' ')}](performance/{plot}.svg)"
        for plot in plots.plots(results)
        if plot == section or plot.startswith(f"{section}-")
    ]


def write_plots(results: Results, folder: Path = PLOTS) -> None:
    """Write a file of SVG for each plot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in plots.plots(results).items():
        (folder / f"{name}.svg").write_text(svg)
