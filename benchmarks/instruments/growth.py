"""Growth: whether Jobmill drains as fast when there is more of everything."""

from typing import Final

from attrs import evolve, frozen

from benchmarks.bench import Bench
from benchmarks.instruments.drain import drain, drain_filled
from benchmarks.samples import Sample
from benchmarks.systems import jobmill_tables
from benchmarks.systems.jobmill import Jobmill

#: Jobs that are run to the end where there are more in the backlog.
MEASURED_MAX: Final = 60_000
#: What every growth is compared with.
BACKLOG: Final = 10_000
#: Ten thousand jobs are done within a second or two, which is short for a rate.
_TIMES: Final = 2


@frozen(kw_only=True)
class Growth:
    """One point of one curve.

    Args:
        curve: what grows.
        at: how far.
        backlog: jobs that wait.
        rows: jobs that have succeeded long ago.
        parcel: jobs that were submitted together and travel together.
    """

    curve: str
    at: int
    backlog: int = BACKLOG
    rows: int = 0
    payload_bytes: int = 200
    queues: int = 0
    parcel: int = 1_000

    @property
    def case(self) -> str:
        return f"{self.curve} {self.at:,}"


async def growth(bench: Bench, jobmill: Jobmill, point: Growth) -> list[Sample]:
    """Measure one point, small ones more than once; the rate is that of the middle of the jobs."""
    system = evolve(jobmill, payload_bytes=point.payload_bytes, queues=point.queues, fill_batch=point.parcel)
    await system.declare()
    if point.rows:
        await _make_rows(bench, system, point.rows)
    times = 1 if point.backlog > MEASURED_MAX else _TIMES
    return [await _measured(bench, system, point) for _ in range(times)]


async def _measured(bench: Bench, system: Jobmill, point: Growth) -> Sample:
    if not point.rows:
        await system.reset()
    await system.fill(point.backlog)
    measured = min(point.backlog, MEASURED_MAX)
    beyond = point.backlog if point.backlog > measured else 0
    sample = await drain_filled(bench, system, jobs=measured, backlog=beyond, case=point.case)
    value = None if sample.value is None else sample.more["steady"] or sample.value
    return evolve(sample, measure="growth", value=value)


async def _make_rows(bench: Bench, system: Jobmill, rows: int) -> None:
    """Bring the table to so many finished jobs; those that an earlier point made stay."""
    there = await jobmill_tables.stored(system.url)
    if there == 0 or await system.kept():
        await drain(bench, system, jobs=100)
        there = 100
    if there < rows:
        await jobmill_tables.grow(system.url, rows - there)
