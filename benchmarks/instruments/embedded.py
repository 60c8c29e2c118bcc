"""Embedded: ``jobmill up`` with SQLite and a bus of its own, from submission to the end, in one process."""

import sqlite3
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from attrs import evolve

from benchmarks.bench import OWN_PYTHON, Bench, free_port
from benchmarks.children import Child, Failed, running
from benchmarks.client import Load
from benchmarks.effects import Effects
from benchmarks.instruments.verdict import refusal
from benchmarks.meter import Cost, Reading
from benchmarks.peers import place
from benchmarks.processes import peak_mb
from benchmarks.samples import Sample
from benchmarks.submitting import client, submit
from benchmarks.systems.jobmill import Jobmill
from benchmarks.systems.system import Entrance
from benchmarks.waiting import is_ready, until

_BATCH: Final = 1_000
_WITHIN_S: Final = 120.0
_SETTLED_WITHIN_S: Final = 30.0
_NS: Final = 1_000_000_000


async def embedded(bench: Bench, system: Jobmill, *, jobs: int, by: str) -> Sample:
    """Submit batches and wait until all have run; the rate is of the whole, from the first call on.

    Args:
        by: ``HTTP``, or ``client``: one by the database's file, in a process of its own.
    """
    effects = bench.fresh_effects(jobs)
    try:
        async with _up(bench, system) as (process, port, home):
            entrance = system.http_entrance(port, in_flight=2)
            if by == "client":
                env = {place.POSTGRES: f"sqlite:///{home / 'jobmill.db'}"}
                program = client(str(OWN_PYTHON), "benchmarks.jobmill_app.by_database", env)
                entrance = Entrance(name="by database", program=program, in_flight=2)
            sample = await _played(bench, process, effects, entrance, jobs=jobs, case=f"by {by}")
            file = home / "jobmill.db"
            await until(lambda: _all_succeeded(file), within_s=_SETTLED_WITHIN_S, what="the last outcomes")
            return sample
    finally:
        effects.close()


async def _all_succeeded(file: Path) -> bool:
    """Whether the embedded database holds every job as done."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        [left] = connection.execute("select count(*) from jobs where state <> 'succeeded'").fetchone()
    finally:
        connection.close()
    return not left


async def _played(
    bench: Bench, process: Child, effects: Effects, entrance: Entrance, *, jobs: int, case: str
) -> Sample:
    before = Reading.take(bench.servers, (process.pid,))
    done = await submit(
        bench, entrance, Load(jobs=jobs, batch=_BATCH, in_flight=2), log="embedded", serving=(process.pid,)
    )

    async def ended() -> bool:
        if process.has_ended:
            raise Failed(f"jobmill up ended: {process.last_words()}")
        return effects.have_ended(jobs)

    await until(ended, within_s=_WITHIN_S, what=f"the end of {jobs:,} jobs", step_s=0.02)
    cost = Cost.between(before, Reading.take(bench.servers, (process.pid,)))
    why = refusal(jobs=jobs, runs=effects.runs(), ended_ns=effects.ended_ns(), kept=None)
    seconds = (max(effects.ended_ns()) - done.begun_ns) / _NS
    return Sample(
        measure="embedded",
        contender="jobmill",
        case=case,
        value=None if why else jobs / seconds,
        refused=why,
        foreign=cost.foreign,
        more={
            "submit_rate": done.rate,
            "process_us": cost.workers / jobs * 1_000_000,
            "peak_mb": peak_mb([process.pid]),
        },
    )


@asynccontextmanager
async def _up(bench: Bench, system: Jobmill) -> AsyncGenerator[tuple[Child, int, Path]]:
    """Run it in a home of its own; yields the process, its port and its home."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        port, home = free_port(), Path(folder)
        command = system.command("up", "--port", str(port))
        own = {"JOBMILL_HOME": str(home), "JOBMILL_DATABASE_URL": "", "JOBMILL_BROKER_URL": ""}
        command = evolve(command, env={**command.env, **own, **bench.noting()})
        async with running(command, log=bench.log("up")) as process:
            await until(lambda: is_ready(port), within_s=30, what=f"jobmill up: {process.log}")
            yield process, port, home
