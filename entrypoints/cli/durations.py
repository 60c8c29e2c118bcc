"""Durations and ages as people write and read them."""

import re
from datetime import timedelta
from typing import Final

from cyclopts import Parameter

_SECONDS_OF: Final = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PART: Final = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)")
_WHOLE: Final = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)


def read_seconds(text: str) -> float:
    """Return the seconds that ``90``, ``90s``, ``1.5h`` or ``1h30m`` stand for.

    Raises:
        ValueError: it is no duration.
    """
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no duration; write it like 90s, 5m, 2h or 1h30m")
    return sum(float(number) * _SECONDS_OF[unit] for number, unit in _PART.findall(text))


@Parameter(converter=lambda _, tokens: Duration(read_seconds(tokens[0].value)), n_tokens=1)
class Duration(float):
    """Seconds, given as a duration; its name is what the help shows."""

    __slots__ = ()


def written(span: timedelta) -> str:
    """Return a duration for a person: ``0.05 s``, ``2.1 s``, ``12 s``, ``5 min``, ``3 h``, ``4 d``."""
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{max(seconds, 0):.2f} s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length, until in (("s", 1, 120), ("min", 60, 7_200), ("h", 3_600, 172_800)):
        if seconds < until:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:,.0f} d"


def ago(span: timedelta) -> str:
    """Return how long ago something was."""
    return f"{written(span)} ago" if span >= timedelta(seconds=1) else "now"
