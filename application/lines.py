"""Lines of a stream of bytes: numbered, and of bounded length, however the bytes come."""

from typing import Final, NamedTuple

#: So much is read at once, if there is so much.
CHUNK_BYTES: Final = 256 * 1024
#: Twice what the longest payload takes that is written with escapes only.
LINE_BYTES_MAX: Final = 128 * 1024
_BLANKS: Final = b" \t\r"
_MARK: Final = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line, without the blanks around it; of one that is too long a byte more than ``LINE_BYTES_MAX``."""

    number: int
    raw: bytes


class LineCutter:
    """Cuts what is read into lines. Blank lines are counted, and left out; so is a byte order mark."""

    def __init__(self) -> None:
        self._number = 0
        self._rest = bytearray()

    def cut(self, chunk: bytes) -> list[Line]:
        """Return the lines that end in this chunk."""
        first, *more = chunk.split(b"\n")
        self._keep(first)
        if not more:
            return []
        lines: list[Line] = []
        self._take(bytes(self._rest), lines)
        *whole, rest = more
        for raw in whole:
            self._take(raw, lines)
        self._rest.clear()
        self._keep(rest)
        return lines

    def last(self) -> list[Line]:
        """Return the line that no line break ends, if there is one; the cutter is through then."""
        lines: list[Line] = []
        if self._rest:
            self._take(bytes(self._rest), lines)
            self._rest.clear()
        return lines

    def _keep(self, piece: bytes) -> None:
        """Of a line that is too long already no more is kept."""
        self._rest += piece[: LINE_BYTES_MAX + 1 - len(self._rest)]

    def _take(self, raw: bytes, lines: list[Line]) -> None:
        self._number += 1
        if self._number == 1:
            raw = raw.removeprefix(_MARK)
        if len(raw) > LINE_BYTES_MAX:
            lines.append(Line(self._number, raw[: LINE_BYTES_MAX + 1]))
        elif stripped := raw.strip(_BLANKS):
            lines.append(Line(self._number, stripped))
