"""HTTP: one API process under load, beside the same framework and server that store nothing."""

from contextlib import AsyncExitStack
from typing import Final

from benchmarks import postgres
from benchmarks.bench import OWN_PYTHON, Bench, free_port
from benchmarks.children import Command, running
from benchmarks.client import Load
from benchmarks.instruments.submit import sample_of
from benchmarks.samples import Sample
from benchmarks.submitting import submit
from benchmarks.systems.jobmill import Jobmill
from benchmarks.waiting import answers, until

CONNECTIONS: Final = 32
_FLOOR: Final = "benchmarks.jobmill_app.floor"


async def http_single(bench: Bench, system: Jobmill, *, jobs: int) -> Sample:
    """One job a request, over 32 connections."""
    await system.reset()
    await postgres.settle(bench.addresses.postgres_url)
    async with system.api() as (api, port):
        entrance = system.http_entrance(port, in_flight=CONNECTIONS)
        load = Load(jobs=jobs, in_flight=CONNECTIONS)
        done = await submit(bench, entrance, load, log="http", serving=(api.pid,))
    return sample_of(system, done, case="single", measure="http", refused=await _missing(system, jobs))


async def http_batch(bench: Bench, system: Jobmill, *, jobs: int) -> Sample:
    """A thousand jobs a request, two requests at once; the relay of the process publishes meanwhile."""
    await system.reset()
    await postgres.settle(bench.addresses.postgres_url)
    async with system.api() as (api, port):
        done = await system.fill_by(port, jobs, serving=(api.pid,))
    return sample_of(
        system, done, case="batches of 1000", measure="http", refused=await _missing(system, jobs)
    )


async def http_floor(bench: Bench, system: Jobmill, *, jobs: int) -> Sample:
    """The same requests to an application that answers as much and does nothing."""
    port = free_port()
    command = Command(words=[str(OWN_PYTHON), "-m", _FLOOR, str(port)])
    async with AsyncExitStack() as stack:
        floor = await stack.enter_async_context(running(command, log=bench.log("floor")))
        await until(lambda: answers(port), within_s=20, what="the floor serves")
        load = Load(jobs=jobs, in_flight=CONNECTIONS)
        entrance = system.http_entrance(port, in_flight=CONNECTIONS)
        done = await submit(bench, entrance, load, log="floor", serving=(floor.pid,))
    return sample_of(system, done, case="floor", measure="http")


async def _missing(system: Jobmill, jobs: int) -> str:
    kept = await system.kept()
    return "" if kept == jobs else f"{kept} of {jobs:,} jobs are kept"
