"""Command line: submitting a file of jobs with ``jobmill submit --file``."""

import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks import postgres
from benchmarks.bench import Bench
from benchmarks.children import run
from benchmarks.meter import Cost, Reading
from benchmarks.payload import payload
from benchmarks.samples import Sample
from benchmarks.systems import jobmill_tables
from benchmarks.systems.jobmill import Jobmill

_WITHIN_S: Final = 300.0


async def command_line_file(bench: Bench, system: Jobmill, *, jobs: int) -> Sample:
    """Submit one job a line; the command's own start and its relay's last round are part of its time.

    Raises:
        Failed: the command failed.
    """
    url = bench.addresses.postgres_url
    await system.reset()
    await postgres.settle(url)
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        file = Path(folder) / "jobs.ndjson"
        file.write_text("".join(json.dumps(payload(number)) + "\n" for number in range(jobs)))
        command = system.command("submit", "bench.job", "--file", str(file))
        wal, cpu_s = await postgres.written_bytes(url), _cpu_of_ended_s()
        before, begin = Reading.take(bench.servers), time.monotonic()
        await run(command, log=bench.log("jobmill", "submit-file"), within_s=_WITHIN_S)
        seconds, cost = time.monotonic() - begin, Cost.between(before, Reading.take(bench.servers))
    stored = await jobmill_tables.stored(system.url)
    why = "" if stored == jobs else f"{stored} of {jobs:,} jobs are stored"
    return Sample(
        measure="submit",
        contender=system.name,
        case="file",
        value=None if why else jobs / seconds,
        refused=why,
        foreign=cost.foreign,
        more={
            **cost.per_job(jobs, workers="server_us"),
            "client_us": (_cpu_of_ended_s() - cpu_s) / jobs * 1_000_000,
            "wal_bytes": (await postgres.written_bytes(url) - wal) / jobs,
        },
    )


def _cpu_of_ended_s() -> float:
    """Return the processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
