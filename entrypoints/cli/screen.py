"""Where a command speaks: results on standard output, all else on standard error."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

#: Columns where nobody looks at a screen: a pipe or a file takes long lines.
_UNSEEN_COLUMNS: Final = 240
#: A cell of a table is not cut below this.
_SHORT_COLUMNS: Final = 12
_GAP: Final = 2


def printable(text: str) -> str:
    """Return the text without a character that could move the cursor or colour the terminal."""
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)


class Screen:
    """Prints for one command. Colours appear on a terminal only, and lines are never broken by us."""

    def __init__(self) -> None:
        """Look at where standard output goes."""
        unseen = not sys.stdout.isatty() and "COLUMNS" not in os.environ
        self._out = Console(width=_UNSEEN_COLUMNS if unseen else None, highlight=False, markup=False)
        self._err = Console(stderr=True, highlight=False, markup=False)

    @property
    def columns(self) -> int:
        """How much fits into a line."""
        return self._out.width

    @property
    def notes(self) -> Console:
        """Where ``note`` goes."""
        return self._err

    def say(self, line: str, *, style: str = "") -> None:
        """Print a line of the result."""
        self._out.print(Text(printable(line), style=style), soft_wrap=True)

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print rows under heads; long cells are cut to fit, but never the first, which holds the id."""
        cells = [[printable(cell).replace("\n", " ") for cell in row] for row in rows]
        widths = [max(map(cell_len, column)) for column in zip(heads, *cells, strict=True)]
        while sum(widths) + _GAP * (len(widths) - 1) > self.columns and max(widths[1:]) > _SHORT_COLUMNS:
            widths[widths.index(max(widths[1:]), 1)] -= 1
        for style, row in [("bold", heads), *(("", row) for row in cells)]:
            texts = [Text(cell) for cell in row]
            for text, width in zip(texts, widths, strict=True):
                text.truncate(width, overflow="ellipsis", pad=True)
            line = Text(" " * _GAP).join(texts)
            line.rstrip()
            self._out.print(line, style=style, soft_wrap=True)

    def lines(self, lines: Iterable[str]) -> None:
        """Print several lines of the result."""
        for line in lines:
            self.say(line)

    def json(self, text: bytes) -> None:
        """Print a JSON text as one line."""
        sys.stdout.write(text.decode() + "\n")
        sys.stdout.flush()

    def note(self, line: str) -> None:
        """Tell the person something that is no part of the result."""
        self._err.print(Text(printable(line)), soft_wrap=True)
