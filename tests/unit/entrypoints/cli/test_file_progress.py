"""How far ``submit --file`` has come: a bar on a terminal, elsewhere a line now and then."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from jobmill.application.line_intake import Tally
from jobmill.entrypoints.cli.file_progress import showing_progress
from jobmill.entrypoints.cli.line_source import LineSource
from jobmill.entrypoints.cli.screen import Screen


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in its only item."""
    now = [100.0]
    monkeypatch.setattr("jobmill.entrypoints.cli.file_progress.monotonic", lambda: now[0])
    return now


def source_of(size_bytes: int | None) -> LineSource:
    return LineSource(name="x", path=Path("x"), size_bytes=size_bytes, read=lambda _: b"")


def screen_on(*, terminal: bool) -> tuple[Screen, io.StringIO]:
    written = io.StringIO()
    screen = Screen()
    screen._err = Console(file=written, force_terminal=terminal, width=100, highlight=False, markup=False)
    return screen, written


def tallies(clock: list[float], *, every_s: float, count: int) -> Iterator[Tally]:
    for at in range(1, count + 1):
        clock[0] += every_s
        yield Tally(read_bytes=10 * at, lines=1_000 * at, rejected=at)


def test_where_nobody_looks_a_line_is_written_every_ten_seconds(clock: list[float]) -> None:
    screen, written = screen_on(terminal=False)

    with showing_progress(screen, source_of(1_000)) as show:
        for tally in tallies(clock, every_s=1, count=25):
            show(tally)

    assert written.getvalue().splitlines() == [
        "10%, 10,000 lines, 1,000 a second, 10 rejected",
        "20%, 20,000 lines, 1,000 a second, 20 rejected",
    ]


def test_of_a_stream_nobody_knows_the_share(clock: list[float]) -> None:
    screen, written = screen_on(terminal=False)

    with showing_progress(screen, source_of(None)) as show:
        for tally in tallies(clock, every_s=10, count=1):
            show(tally)

    assert written.getvalue() == "1,000 lines, 100 a second, 1 rejected\n"


@pytest.mark.parametrize(("size_bytes", "share"), [(400, "50 %"), (None, "")])
def test_a_bar_is_drawn_on_a_terminal(clock: list[float], size_bytes: int | None, share: str) -> None:
    screen, written = screen_on(terminal=True)

    with showing_progress(screen, source_of(size_bytes)) as show:
        for tally in tallies(clock, every_s=0.5, count=20):
            show(tally)
        screen.note("waiting")

    drawn = written.getvalue()
    assert share in drawn
    assert "20,000 lines" in drawn
    assert "2,000/s" in drawn
    assert "waiting\n" in drawn


def test_a_bar_is_drawn_ten_times_a_second_at_most(clock: list[float]) -> None:
    screen, written = screen_on(terminal=True)

    with showing_progress(screen, source_of(1_000)) as show:
        for tally in tallies(clock, every_s=0.001, count=99):
            show(tally)
        assert "1,000 lines" not in written.getvalue()
        show(next(tallies(clock, every_s=0.002, count=1)))
        assert "1,000 lines" in written.getvalue()


def test_a_bar_ends_where_the_file_ended(clock: list[float]) -> None:
    screen, written = screen_on(terminal=True)

    with showing_progress(screen, source_of(20)) as show:
        for tally in tallies(clock, every_s=0.001, count=2):
            show(tally)

    assert "100 %" in written.getvalue()
    assert "2,000 lines" in written.getvalue()
