"""How far ``submit --file`` has come: a bar on a terminal, elsewhere a line now and then."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from jobmill.application.line_intake import Tally
from jobmill.entrypoints.cli.line_source import LineSource
from jobmill.entrypoints.cli.screen import Screen

#: How often a bar is drawn, and how often a line is written where there is none.
_DRAW_EVERY_S: Final = 0.1
_WRITE_EVERY_S: Final = 10.0

Show = Callable[[Tally], None]


@contextmanager
def showing_progress(screen: Screen, source: LineSource) -> Generator[Show]:
    """Yield what shows a tally, as often as is good for whoever looks."""
    if not screen.notes.is_terminal:
        yield _now_and_then(_WRITE_EVERY_S, _writing(screen, source))
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = ("{task.percentage:>3.0f} %", "{task.fields[lines]:,} lines", "{task.fields[pace]:,.0f}/s")
    shown = columns if source.size_bytes else columns[1:]
    bar = Progress(
        BarColumn(bar_width=None),
        *map(TextColumn, shown),
        *([TimeRemainingColumn()] if source.size_bytes else []),
        console=screen.notes,
        auto_refresh=False,  # it needs no thread of its own
        redirect_stdout=False,
        expand=True,
    )
    task, began_s = bar.add_task("", total=source.size_bytes, lines=0, pace=0.0), monotonic()
    seen: list[Tally] = []

    def draw(tally: Tally) -> None:
        pace = tally.lines / max(monotonic() - began_s, 0.001)
        bar.update(task, completed=tally.read_bytes, lines=tally.lines, pace=pace, refresh=True)

    draw_now_and_then = _now_and_then(_DRAW_EVERY_S, draw)

    def note(tally: Tally) -> None:
        seen[:] = [tally]
        draw_now_and_then(tally)

    with bar:
        try:
            yield note
        finally:
            for last in seen:
                draw(last)


def _writing(screen: Screen, source: LineSource) -> Show:
    began_s = monotonic()

    def write(tally: Tally) -> None:
        share = f"{tally.read_bytes / source.size_bytes:.0%}, " if source.size_bytes else ""
        pace = tally.lines / max(monotonic() - began_s, 0.001)
        screen.note(f"{share}{tally.lines:,} lines, {pace:,.0f} a second, {tally.rejected:,} rejected")

    return write


def _now_and_then(every_s: float, show: Show) -> Show:
    next_s = monotonic() + every_s

    def pass_on(tally: Tally) -> None:
        nonlocal next_s
        if (now_s := monotonic()) >= next_s:
            next_s = now_s + every_s
            show(tally)

    return pass_on
