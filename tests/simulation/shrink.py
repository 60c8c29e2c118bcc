"""Making a failing scenario small: fewer kinds, moves, workers, less time, as long as it still fails."""

from collections.abc import Iterator
from typing import Final

from attrs import evolve

from tests.simulation.run import Report, play
from tests.simulation.scenario import Scenario

#: Runs that a search may take.
TRIES_MAX: Final = 600


def shrink(report: Report, *, tries: int = TRIES_MAX) -> Report:
    """Return a smallest run found that breaks the same invariant first."""
    wanted = _first(report)
    best, left = report, tries
    while left > 0:
        for smaller in _smaller(best.scenario):
            left -= 1
            tried = play(smaller)
            if tried.broken and _first(tried) == wanted:
                best = tried
                break
            if left <= 0:
                break
        else:
            break
    return play(best.scenario, keeps_trace=True)


def _first(report: Report) -> str:
    return report.broken[0].partition(":")[0]


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Cut in big pieces first."""
    moves = scenario.moves
    for kind in sorted({move.kind for move in moves}):
        yield evolve(scenario, moves=tuple(move for move in moves if move.kind != kind))
    size = len(moves) // 2
    while size >= 1:
        for start in range(0, len(moves), size):
            yield evolve(scenario, moves=moves[:start] + moves[start + size :])
        size //= 2
    fewer_workers = evolve(scenario, workers=max(1, scenario.workers - 1))
    in_time, plain = evolve(scenario, skews_s=(0.0,)), evolve(scenario, shares=1)
    yield from (simpler for simpler in (fewer_workers, in_time, plain) if simpler != scenario)
    last_s = moves[-1].at_s if moves else 0.0
    if scenario.length_s > last_s + 1.0:
        yield evolve(scenario, length_s=last_s + 1.0)
    for at, move in enumerate(moves):
        if move.kind == "submit" and move.what["count"] > 1:
            fewer = evolve(move, what=move.what | {"count": 1})
            yield evolve(scenario, moves=(*moves[:at], fewer, *moves[at + 1 :]))
        given = {name: value for name, value in move.what.items() if value is not None}
        for name in given.keys() & {"delay_s", "ttl_s", "patience_s"}:
            without = evolve(move, what=move.what | {name: None})
            yield evolve(scenario, moves=(*moves[:at], without, *moves[at + 1 :]))


def told(report: Report) -> str:
    """Say for a person what broke, how to see it again, and the smallest run that shows it."""
    small = shrink(report)
    return "\n".join(
        [
            *report.broken,
            f"see it again: python -m tests.simulation {report.scenario.seed}",
            "",
            "the smallest run that was found to break the same:",
            str(small.scenario),
            *small.trace,
        ]
    )
