"""Plots as SVG, by hand: bars, and lines over a logarithmic axis."""

from collections.abc import Sequence
from html import escape
from math import log10
from typing import Final

from attrs import frozen

WIDTH: Final = 720
_LEFT: Final = 190
_RIGHT: Final = 90
_ROW: Final = 26
_TOP: Final = 46
_FONT: Final = "font-family='system-ui, sans-serif' font-size='13'"
_INK: Final = "#57606a"
_OURS: Final = "#0969da"
_THEIRS: Final = "#afb8c1"
_LINES: Final = (_OURS, "#bf3989", "#1a7f37", "#9a6700")


@frozen(kw_only=True)
class Bar:
    """One bar; ``label`` is what stands behind it."""

    name: str
    value: float
    label: str
    is_ours: bool = False


@frozen(kw_only=True)
class Line:
    """One line through points (x, y), x above 0 unless it is the first of all."""

    name: str
    points: Sequence[tuple[float, float]]


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Draw horizontal bars, longest value over the whole width."""
    longest = max((each.value for each in rows), default=0.0) or 1.0
    room = WIDTH - _LEFT - _RIGHT
    shapes = []
    for at, each in enumerate(rows):
        y, long = _TOP + at * _ROW, max(1.0, each.value / longest * room)
        fill = _OURS if each.is_ours else _THEIRS
        shapes += [
            _text(_LEFT - 8, y + 13, each.name, anchor="end"),
            f"<rect x='{_LEFT}' y='{y}' width='{long:.1f}' height='18' rx='2' fill='{fill}'/>",
            _text(_LEFT + long + 6, y + 13, each.label),
        ]
    return _document(title, _TOP + len(rows) * _ROW + 10, shapes)


def lines(title: str, series: Sequence[Line], *, x_title: str, height: int = 320) -> str:
    """Draw lines from 0 upwards, over the logarithm of x; an x of 0 stands at the left edge."""
    positive = [x for each in series for x, _ in each.points if x > 0]
    low, high = (log10(min(positive)), log10(max(positive))) if positive else (0.0, 1.0)
    if any(x <= 0 for each in series for x, _ in each.points):
        low -= 1
    top = max((y for each in series for _, y in each.points), default=0.0) or 1.0
    left, right, bottom = 70, WIDTH - 150, height - 50

    def place(x: float, y: float) -> tuple[float, float]:
        share = (log10(x) - low) / (high - low or 1.0) if x > 0 else 0.0
        return left + share * (right - left), bottom - y / top * (bottom - _TOP)

    shapes = [
        f"<path d='M{left} {_TOP}V{bottom}H{right}' fill='none' stroke='{_INK}'/>",
        _text(left - 6, _TOP + 5, f"{top:,.0f}", anchor="end"),
        _text(left - 6, bottom + 4, "0", anchor="end"),
        _text((left + right) / 2, height - 10, x_title, anchor="middle"),
    ]
    marks = sorted({x for each in series for x, _ in each.points})
    shapes += [_text(place(x, 0)[0], bottom + 18, _short(x), anchor="middle") for x in marks]
    for at, each in enumerate(series):
        colour = _LINES[at % len(_LINES)]
        spots = [place(x, y) for x, y in each.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        shapes.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>")
        shapes += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>" for x, y in spots]
        if spots:
            shapes.append(_text(right + 8, spots[-1][1] + 4, each.name))
    return _document(title, height, shapes)


def _document(title: str, height: float, shapes: Sequence[str]) -> str:
    body = "\n".join(shapes)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:.0f}' width='{WIDTH}' "
        f"height='{height:.0f}' role='img' aria-label='{escape(title, quote=True)}' {_FONT}>\n"
        f"<rect width='100%' height='100%' fill='#fff'/>\n"
        f"<text x='10' y='24' font-weight='600' fill='#1f2328'>{escape(title)}</text>\n{body}\n</svg>\n"
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{_INK}'>{escape(text)}</text>"


def _short(x: float) -> str:
    for bound, letter in ((1_000_000, "M"), (1_000, "k")):
        if x >= bound:
            return f"{x / bound:g}{letter}"
    return f"{x:g}"
