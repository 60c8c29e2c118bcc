"""What a command printed, compared with what a README says that it prints."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

#: Stands for any number of lines, and within a line for any text.
ANYTHING: Final = "…"
#: What differs from run to run.
MASKS: Final = (
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "<clock>"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:ms|s)\b"), "<duration>"),
    (re.compile(r"\b\d+ a second"), "<rate>"),
    # Who looks late sees no more when it will be.
    (re.compile(r"\bretry in <duration>|\bto be retried\b"), "<retry>"),
)


def masked(text: str, ports: Mapping[int, int]) -> list[str]:
    """The lines of a text without what differs, and with the ports that the README names.

    Args:
        ports: where each port that the README names is here.
    """
    for named, here in ports.items():
        text = re.sub(rf"\b{here}\b", str(named), text)
    for shape, mask in MASKS:
        text = shape.sub(mask, text)
    return [line.rstrip() for line in text.splitlines()]


def fits(wanted: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether masked lines are those that a README has; a line ``…`` there skips as few as it can."""
    at = 0
    runs = list(_runs([line for text in wanted for line in masked(text, {}) or [""]]))
    for number, run in enumerate(runs):
        first, last = number == 0, number == len(runs) - 1
        places = range(at, len(lines) - len(run) + 1)
        if first:
            places = places[:1]
        if last:
            places = places[-1:] if not first or len(lines) == len(run) else range(0)
        found = next((place for place in places if _are(run, lines[place:])), None)
        if found is None:
            return False
        at = found + len(run)
    return True


def appear(wanted: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether the lines that a README has stand there in their order, among any others."""
    rest = iter(lines)
    return all(any(_line(text, line) for line in rest) for text in wanted if text.strip() != ANYTHING)


def _runs(wanted: Sequence[str]) -> Iterator[Sequence[str]]:
    """The lines that stand together, between the lines ``…``; empty ones at an open end."""
    run: list[str] = []
    for line in wanted:
        if line.strip() == ANYTHING:
            yield run
            run = []
        else:
            run.append(line)
    yield run


def _are(run: Sequence[str], lines: Sequence[str]) -> bool:
    return all(_line(wanted, line) for wanted, line in zip(run, lines, strict=False))


def _line(wanted: str, line: str) -> bool:
    [text] = masked(wanted, {}) or [""]
    return re.fullmatch(".*".join(map(re.escape, text.split(ANYTHING))), line) is not None
