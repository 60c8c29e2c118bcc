"""The peers on PostgreSQL: PgQueuer, Procrastinate."""

from collections.abc import Sequence
from typing import Final

from benchmarks.systems.peer import Facts
from benchmarks.systems.system import Pace, Purpose, Setting

_PGQUEUER: Final = "pgqueuer.readthedocs.io"
_PROCRASTINATE: Final = "procrastinate.readthedocs.io"

PGQUEUER: Final = Facts(
    name="pgqueuer",
    title="PgQueuer 1.6",
    keeps="state",
    module="benchmarks.peers.pgqueuer_app",
    worker="{python} -m benchmarks.peers.pgqueuer_app",
    options={
        Purpose.DRAIN: {"batch": 500},
        Purpose.LATENCY: {"batch": 500},
        Purpose.IDLE: {"batch": 500},
        Purpose.IO: {"batch": 100, "tasks": 1_000},
    },
    settings=(
        Setting(
            name="run(batch_size=500), 100 (io)",
            why="jobs taken by one statement; four times as fast as its default of 10",
            source=f"{_PGQUEUER}: Worker, Batch size",
        ),
        Setting(
            name="max_concurrent_tasks=1,000 (io)",
            why="jobs that wait at the same time",
            source=f"{_PGQUEUER}: Worker, Concurrency",
        ),
        Setting(
            name="asyncpg, uvloop, a pool of 10 for the client",
            why="its fastest driver; singles go at once",
            source=f"{_PGQUEUER}: Drivers",
        ),
    ),
    pace=Pace(single=1_000, batch=13_000, drain=7_500, io=1_700),
    unfinished="select count(*) from pgqueuer",
)

PROCRASTINATE: Final = Facts(
    name="procrastinate",
    title="Procrastinate 3.10",
    keeps="state",
    module="benchmarks.peers.procrastinate_app",
    worker="{python} -m benchmarks.peers.procrastinate_app",
    options={
        Purpose.DRAIN: {"jobs": 50, "pool": 20},
        Purpose.LATENCY: {"jobs": 50, "pool": 20},
        Purpose.IDLE: {"jobs": 50, "pool": 20},
        Purpose.IO: {"jobs": 500, "pool": 20},
    },
    settings=(
        Setting(
            name="concurrency=50, 500 (io)",
            why="its default of 1 runs jobs one after the other",
            source=f"{_PROCRASTINATE}: How-to, Launch a worker; Concurrency",
        ),
        Setting(
            name="PsycopgConnector(max_size=20), uvloop",
            why="a job is fetched and finished on the pool's connections",
            source=f"{_PROCRASTINATE}: How-to, Connector",
        ),
    ),
    pace=Pace(single=660, batch=1_850, drain=200, io=290),
    unfinished="select count(*) from procrastinate_jobs where status in ('todo', 'doing')",
)

ON_POSTGRESQL: Final[Sequence[Facts]] = (PGQUEUER, PROCRASTINATE)
