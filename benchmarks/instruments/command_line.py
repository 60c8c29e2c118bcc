"""Command line: submitting a file of jobs with ``jobmill submit --file``."""

import json
import tempfile
import time
from pathlib import Path
from typing import Final

from attrs import evolve

from benchmarks import postgres
from benchmarks.bench import Bench
from benchmarks.children import Failed, run
from benchmarks.meter import Cost, Reading
from benchmarks.payload import payload
from benchmarks.samples import Sample
from benchmarks.systems import jobmill_tables
from benchmarks.systems.jobmill import Jobmill

_WITHIN_S: Final = 300.0


async def command_line_file(bench: Bench, system: Jobmill, *, jobs: int) -> Sample:
    """Submit one job a line; the command's own start is part of its time.

    Raises:
        Failed: there is no such option, or the command failed.
    """
    await _check(bench, system)
    await system.reset()
    await postgres.settle(bench.addresses.postgres_url)
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        file = Path(folder) / "jobs.ndjson"
        file.write_text("".join(json.dumps(payload(number)) + "\n" for number in range(jobs)))
        before, begin = Reading.take(bench.servers), time.monotonic()
        command = system.command("submit", "bench.job", "--file", str(file))
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
        more=cost.per_job(jobs),
    )


async def _check(bench: Bench, system: Jobmill) -> None:
    """Raise ``Failed`` where this Jobmill cannot read jobs from a file."""
    log = bench.log("jobmill", "submit-help")
    command = system.command("submit", "--help")
    await run(evolve(command, env={**command.env, "COLUMNS": "200"}), log=log)
    if "--file" not in log.read_text().replace("--payload-file", ""):
        raise Failed("this Jobmill has no `submit --file`")
