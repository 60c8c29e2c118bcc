"""Where rejected lines go, each with all that is wrong with it: one JSON object a line."""

import os
import stat
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from attrs import define

from jobmill.application.codec.strict_json import write_json
from jobmill.application.line_intake import RejectedLine
from jobmill.application.lines import LINE_BYTES_MAX
from jobmill.domain.errors import Fault
from jobmill.entrypoints.cli.exits import WrongUse
from jobmill.entrypoints.cli.line_source import LineSource
from jobmill.entrypoints.cli.screen import Screen

_SUFFIX: Final = ".rejected"
#: Of a line with more faults than these nobody reads the others.
_FAULTS_MAX: Final = 100
#: What is shown of a line that is longer than any.
_SHOWN_BYTES: Final = 1_000


@define(kw_only=True)
class Rejects:
    """Takes rejected lines.

    Args:
        path: None for standard error.
    """

    path: Path | None
    _write: Callable[[bytes], object]
    _flush: Callable[[], None]
    _clear: Callable[[], object] = lambda: None

    @property
    def name(self) -> str:
        """Where they are, for a person."""
        return "told above" if self.path is None else str(self.path)

    def begin(self) -> None:
        """Let go what an earlier run left there."""
        self._clear()

    def take(self, rejected: RejectedLine) -> None:
        """Write one down."""
        self._write(_written(rejected))

    def flush(self) -> None:
        """Let others read what was written."""
        self._flush()


@contextmanager
def open_rejects(source: LineSource, path: str | None, *, screen: Screen) -> Generator[Rejects]:
    """Open the place for rejected lines, before anything is stored; a file that is empty at the end goes.

    Args:
        path: by default beside the file that is read, or standard error where there is none.

    Raises:
        WrongUse: nothing can be written there, or it is what is being read.
    """
    named = Path(path) if path is not None else _beside(source)
    if named is None:
        yield _told_at_once(screen)
        return
    if source.is_file(named):
        raise WrongUse(f"--rejected: {named} is the file that is read; name another")
    try:
        stream = named.open("ab")
    except OSError as error:
        raise WrongUse(f"--rejected: {error.strerror}: {named}; name another by --rejected") from None
    with stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            yield Rejects(path=named, write=stream.write, flush=stream.flush)
            return
        try:
            yield Rejects(
                path=named, write=stream.write, flush=stream.flush, clear=partial(stream.truncate, 0)
            )
        finally:
            stream.flush()
            if not os.fstat(stream.fileno()).st_size:
                named.unlink()


def _told_at_once(screen: Screen) -> Rejects:
    """Tell a person above the bar, and a program as they are."""
    if screen.notes.is_terminal:
        return Rejects(path=None, write=lambda line: screen.note(line.decode().rstrip()), flush=lambda: None)
    return Rejects(path=None, write=sys.stderr.buffer.write, flush=sys.stderr.buffer.flush)


def _beside(source: LineSource) -> Path | None:
    return None if source.path is None else source.path.with_name(source.path.name + _SUFFIX)


def _written(rejected: RejectedLine) -> bytes:
    number, raw = rejected.line
    is_cut = len(raw) > LINE_BYTES_MAX
    text = (raw[:_SHOWN_BYTES] if is_cut else raw).decode("utf-8", "backslashreplace")
    told: dict[str, object] = {"line": number, "reasons": _told(rejected.faults), "text": text}
    if is_cut:
        told["is_cut"] = True
    return write_json(told).encode() + b"\n"


def _told(faults: Sequence[Fault]) -> list[dict[str, str]]:
    told = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults[:_FAULTS_MAX]]
    if len(faults) > _FAULTS_MAX:
        told.append({"pointer": "", "detail": f"and {len(faults) - _FAULTS_MAX:,} more"})
    return told
