"""Processor time and memory of processes, from ``/proc``: of one, and of all that it started."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from attrs import frozen

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_KIB_PER_MB: Final = 1_000_000 / 1024


@frozen(kw_only=True)
class Process:
    """One line of the process table.

    Args:
        cpu_s: of the process itself.
        gone_s: of its children that have ended and were waited for.
    """

    pid: int
    parent: int
    cpu_s: float
    gone_s: float

    @property
    def all_s(self) -> float:
        return self.cpu_s + self.gone_s


def process_table() -> dict[int, Process]:
    """Return every process of the machine that can be seen, by its id."""
    table = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (process := _read(int(entry.name))):
            table[process.pid] = process
    return table


def family(root: int, table: dict[int, Process]) -> list[Process]:
    """Return a process and all its descendants that live."""
    children: dict[int, list[Process]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process)
    found = [table[root]] if root in table else []
    for process in found:
        found.extend(children.get(process.pid, ()))
    return found


def cpu_of(roots: Iterable[int]) -> float:
    """Return the seconds of processor time of these processes and all they started, ended ones included."""
    table = process_table()
    return sum(process.all_s for root in roots for process in family(root, table))


def peak_mb(roots: Iterable[int]) -> float:
    """Return the most memory that these processes and their descendants held, each for itself, in MB.

    Pages that processes share are counted for each.
    """
    table = process_table()
    return sum(_peak_kib(each.pid) for root in roots for each in family(root, table)) / _KIB_PER_MB


def command_line(pid: int) -> str:
    """Return what a process calls itself; "" if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _read(pid: int) -> Process | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name may hold spaces and brackets; what follows its last bracket does not.
    fields = stat.rpartition(")")[2].split()
    user, system, gone_user, gone_system = (int(each) for each in fields[11:15])
    return Process(
        pid=pid,
        parent=int(fields[1]),
        cpu_s=(user + system) / _TICKS,
        gone_s=(gone_user + gone_system) / _TICKS,
    )


def _peak_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
