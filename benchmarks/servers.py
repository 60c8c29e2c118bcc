"""The processes of the two servers, by the ports on which they listen."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from benchmarks.addresses import Addresses
from benchmarks.processes import Process, command_line, family, process_table

_LISTENING: Final = "0A"
#: How a backend of PostgreSQL calls itself: user, database, address of its client.
_BACKEND: Final = re.compile(r"postgres: (?:\d+/\w+: )?(\S+) (\S+) (?:\[local\]|[\d.:a-f]+\(\d+\))")


@frozen(kw_only=True)
class Servers:
    """Who they are; 0 where that cannot be found out, because they are elsewhere or not ours to look at."""

    rabbit_pid: int
    postgres_pid: int
    prefix: str

    @classmethod
    def find(cls, addresses: Addresses) -> "Servers":
        return cls(
            rabbit_pid=listener(addresses.amqp_port),
            postgres_pid=listener(addresses.postgres_port),
            prefix=addresses.prefix,
        )

    def rabbit_cpu_s(self, table: dict[int, Process] | None = None) -> float:
        """Return the processor time of RabbitMQ's node."""
        table = table or process_table()
        return table[self.rabbit_pid].cpu_s if self.rabbit_pid in table else 0.0

    def postgres_cpu_s(self, table: dict[int, Process] | None = None) -> float:
        """Return the processor time of PostgreSQL, without that of connections to databases of others."""
        table = table or process_table()
        total = 0.0
        for process in family(self.postgres_pid, table) if self.postgres_pid else ():
            if not self.is_foreign(command_line(process.pid)):
                total += process.cpu_s + (process.gone_s if process.pid == self.postgres_pid else 0.0)
        return total

    def is_foreign(self, command: str) -> bool:
        """Whether a process, by what it calls itself, serves a connection to a database of others."""
        backend = _BACKEND.match(command)
        return backend is not None and not backend[2].startswith(self.prefix)


def listener(port: int) -> int:
    """Return the process that listens on a TCP port of this machine; 0 if none is seen to."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not sockets:
        return 0
    found = [pid for pid in process_table() if sockets & set(_open_files(pid))]
    return min(found, default=0)


def _inodes(port: int) -> Sequence[str]:
    inodes = []
    for name in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.append(fields[9])
    return inodes


def _open_files(pid: int) -> Sequence[str]:
    try:
        return [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]  # noqa: PTH115 - no paths
    except OSError:
        return []
