"""Who was started by whom; read from /proc, so it finds nobody on a system without one."""

import os
import signal
from pathlib import Path

PROC = Path("/proc")


def descendants(pid: int) -> list[int]:
    """The ids of all living processes that ``pid`` started, and that those started."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents().items():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    ahead = [pid]
    while ahead:
        next_ones = children.get(ahead.pop(), [])
        found += next_ones
        ahead += next_ones
    return found


def is_gone(pid: int) -> bool:
    """The process has ended; one that nobody has waited for yet counts as gone."""
    return _read(pid, "stat").rpartition(b")")[2].split()[:1] in ([], [b"Z"])


def send(pid: int, what: signal.Signals) -> None:
    """Send a signal; a process that has just ended does not mind."""
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass


def mentioning(text: str) -> list[int]:
    """The ids of all living processes that have ``text`` in their command line or environment."""
    wanted = text.encode()
    return [pid for pid in _pids() if wanted in _read(pid, "cmdline") + _read(pid, "environ")]


def _parents() -> dict[int, int]:
    # The command name stands in brackets and may itself hold brackets and blanks; the parent is the second
    # word after the last closing one.
    stats = {pid: _read(pid, "stat").rpartition(b")")[2].split() for pid in _pids()}
    return {pid: int(words[1]) for pid, words in stats.items() if len(words) > 1}


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()] if PROC.is_dir() else []


def _read(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""
