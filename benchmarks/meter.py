"""What a stretch of work cost: whose processor time, and how much of the machine strangers took."""

import os
import time
from pathlib import Path
from typing import Final, Self

from attrs import frozen

from benchmarks.processes import cpu_of, family, process_table
from benchmarks.servers import Servers

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_CORES: Final = os.cpu_count() or 1
#: Of the first line of /proc/stat, after its name: user, nice, system, irq, softirq, steal.
_BUSY_FIELDS: Final = (0, 1, 2, 5, 6, 7)


@frozen(kw_only=True)
class Reading:
    """Processor time so far, in seconds.

    Args:
        at: on the monotonic clock.
        host: of all that runs here, with what the host of a virtual machine took away.
        ours: of this process and all that it started.
        workers: of those that are being measured.
    """

    at: float
    host: float
    ours: float
    workers: float
    rabbit: float
    postgres: float

    @classmethod
    def take(cls, servers: Servers, workers: tuple[int, ...] = ()) -> Self:
        table = process_table()
        return cls(
            at=time.monotonic(),
            host=_host_busy_s(),
            ours=sum(each.all_s for each in family(os.getpid(), table)),
            workers=cpu_of(workers) if workers else 0.0,
            rabbit=servers.rabbit_cpu_s(table),
            postgres=servers.postgres_cpu_s(table),
        )


@frozen(kw_only=True)
class Cost:
    """What lies between two readings, in seconds; ``foreign`` is a share of the machine, 0 to 1."""

    seconds: float
    workers: float
    rabbit: float
    postgres: float
    foreign: float

    @classmethod
    def between(cls, before: Reading, after: Reading) -> Self:
        seconds = after.at - before.at
        rabbit, postgres = after.rabbit - before.rabbit, after.postgres - before.postgres
        strangers = (after.host - before.host) - (after.ours - before.ours) - rabbit - postgres
        return cls(
            seconds=seconds,
            workers=after.workers - before.workers,
            rabbit=rabbit,
            postgres=postgres,
            foreign=max(0.0, strangers / (seconds * _CORES)) if seconds > 0 else 0.0,
        )

    def per_job(self, jobs: int, *, workers: str = "worker_us") -> dict[str, float]:
        """Return microseconds of processor time per job, by names as samples have them.

        A server's connection that ends between two looks at it may take its time with it; that is no gain.
        """
        shares = {workers: self.workers, "rabbitmq_us": self.rabbit, "postgresql_us": self.postgres}
        return {name: max(0.0, seconds) / jobs * 1_000_000 for name, seconds in shares.items()}


def _host_busy_s() -> float:
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[at]) for at in _BUSY_FIELDS) / _TICKS
