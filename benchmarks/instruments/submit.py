"""Submit: how many jobs one process hands over, each kept before the call returns."""

from attrs import evolve

from benchmarks import postgres
from benchmarks.bench import Bench
from benchmarks.client import Load
from benchmarks.samples import Sample
from benchmarks.submitting import Submission
from benchmarks.submitting import submit as submit_from_a_client
from benchmarks.systems.system import Entrance, System

#: Calls with a batch each that are made at once.
BATCHES_AT_ONCE = 4


async def submit(
    bench: Bench,
    system: System,
    *,
    jobs: int,
    batch: int = 1,
    entrance: Entrance | None = None,
    case: str = "",
) -> Sample:
    """Measure a contender's way in.

    Args:
        batch: jobs per call; 1 is the call for a single job, made for many at once.
        entrance: another way in than that of its library.
    """
    await system.reset()
    await postgres.settle(bench.addresses.postgres_url)
    entrance = entrance or system.entrance()
    load = Load(jobs=jobs, batch=batch, in_flight=entrance.in_flight if batch == 1 else BATCHES_AT_ONCE)
    done = await submit_from_a_client(bench, entrance, load, log=system.name)
    kept = await system.kept()
    why = "" if kept == jobs else f"{kept} of {jobs:,} jobs are kept"
    return sample_of(
        system, done, case=case or (f"batches of {batch}" if batch > 1 else "single"), refused=why
    )


def sample_of(
    system: System, done: Submission, *, case: str, refused: str = "", measure: str = "submit"
) -> Sample:
    """Return what a client's run comes to."""
    jobs = done.submitted.jobs
    sample = Sample(
        measure=measure,
        contender=system.name,
        case=case,
        value=None if refused else done.rate,
        refused=refused,
        foreign=done.cost.foreign,
        more=done.cost.per_job(jobs, workers="server_us"),
    )
    more = {
        **sample.more,
        "client_us": done.submitted.cpu_s / jobs * 1_000_000,
        "wal_bytes": done.wal_bytes / jobs,
    }
    return evolve(sample, more=more)
