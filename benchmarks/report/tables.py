"""The tables of a report, in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.arithmetic import Spread, ratio
from benchmarks.goals import Verdict, verdicts
from benchmarks.results import Results
from benchmarks.samples import Figure

#: The contender with which the others are compared.
OURS = "jobmill"

Row = Sequence[str]

#: What a job costs, by the names that samples have, and how it is called in tables.
COSTS: Final[Mapping[str, str]] = {
    "steady": "middle 80 %",
    "client_us": "client, µs",
    "worker_us": "worker, µs",
    "rabbitmq_us": "RabbitMQ, µs",
    "postgresql_us": "PostgreSQL, µs",
    "peak_mb": "peak MB",
    "wal_bytes": "WAL bytes",
    "database_bytes": "database bytes",
    "settled_s": "settled after, s",
}


def markdown(head: Row, rows: Sequence[Row]) -> str:
    """Return a table whose first column is words and whose others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None) -> str:
    """Return a number as it is read best: three digits that count; – for none."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 or value == 0 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def spread(figure: Figure) -> str:
    """Return median, range and number of repetitions, or why there is none."""
    if figure.spread is None:
        return f"none: {_short(figure.refused)}"
    seen: Spread = figure.spread
    marks = " (disturbed)" if figure.is_doubtful else ""
    if seen.count == 1:
        return f"**{number(seen.median)}**{marks}"
    return f"**{number(seen.median)}** ({number(seen.low)}–{number(seen.high)}, {seen.count}×){marks}"


def rate_table(results: Results, measure: str, case: str) -> str:
    """Return the table of one measure: figure, what Jobmill's is of it, and what a job costs."""
    found = _of(results, measure, case)
    ours = next((each.value for each in found if each.contender == OURS), None)
    columns = [name for name in COSTS if any(name in each.more for each in found)]
    return markdown(
        ("", "jobs/s", "Jobmill is", *[COSTS[name] for name in columns]),
        [
            (
                _title(results, each),
                spread(each),
                _times(ratio(ours, each.value)),
                *[number(each.more.get(name)) for name in columns],
            )
            for each in found
        ],
    )


def latency_table(results: Results) -> str:
    found = [each for each in results.figures if each.measure == "latency"]
    return markdown(
        ("", "rate", "p50, ms", "p95", "p99", "longest"),
        [
            (
                _title(results, each),
                each.case,
                spread(each),
                *[number(each.more.get(name)) for name in ("p95", "p99", "longest")],
            )
            for each in found
        ],
    )


def idle_table(results: Results) -> str:
    names = ("rabbitmq_percent", "postgresql_percent", "peak_mb")
    return markdown(
        ("", "worker, % of a core", "RabbitMQ", "PostgreSQL", "peak MB"),
        [
            (_title(results, each), spread(each), *[number(each.more.get(name)) for name in names])
            for each in results.figures
            if each.measure == "idle"
        ],
    )


def case_table(results: Results, measure: str, names: Mapping[str, str]) -> str:
    """Return a table of Jobmill's own cases; ``names`` has the heads of further figures by their names."""
    return markdown(
        ("", "jobs/s", *names.values()),
        [
            (each.case, spread(each), *[number(each.more.get(name)) for name in names])
            for each in results.figures
            if each.measure == measure
        ],
    )


def settings_table(results: Results) -> str:
    rows = [
        (facts["title"] if at == 0 else "", f"`{setting['name']}`", setting["why"], setting["source"])
        for facts in results.contenders.values()
        for at, setting in enumerate(facts["settings"])
    ]
    lines = [("", "setting", "why", "source"), ("---", "---", "---", "---"), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def goals_table(results: Results) -> str:
    return markdown(
        ("goal", "wanted", "measured", "met"), [_goal(each) for each in verdicts(results.figures)]
    )


def place_table(results: Results) -> str:
    """Return where and when it was measured, and the versions of all that took part."""
    rows = {"date": results.date, "run": f"{results.size}, {results.seconds / 60:.0f} minutes"}
    rows |= {**results.machine, **results.versions}
    lines = [("", ""), ("---", "---"), *rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def failures(results: Results) -> str:
    """Return what has no figure, a line each, and why."""
    lines = [
        f"- {_title(results, each)}, {each.measure} {each.case}: {_short(each.refused)}"
        for each in results.figures
        if each.refused
    ]
    return "\n".join(lines) or "Every measurement gave a figure."


def _goal(verdict: Verdict) -> Row:
    goal, met = verdict.goal, verdict.is_met
    sign = "≥" if goal.at_least else "≤"
    words = "not measured" if met is None else "yes" if met else "**no**"
    return (
        goal.text,
        f"{sign} {number(goal.bound)} {goal.unit}",
        f"{number(verdict.number)} {goal.unit}",
        words,
    )


def _of(results: Results, measure: str, case: str) -> list[Figure]:
    """Return the figures of one measure, the highest first, those without one last."""
    found = [each for each in results.figures if each.measure == measure and each.case == case]
    return sorted(found, key=lambda each: -(each.value or 0.0))


def _title(results: Results, figure: Figure) -> str:
    title = str(results.contenders.get(figure.contender, {}).get("title", figure.contender))
    return f"**{title}**" if figure.contender == OURS else title


def _times(value: float | None) -> str:
    return "–" if value is None else f"{number(value)} ×"


def _short(text: str) -> str:
    """Return a reason that fits into a table."""
    line = " ".join(text.split()).replace("|", "/")
    return line if len(line) <= 160 else f"{line[:80]} … {line[-75:]}"
