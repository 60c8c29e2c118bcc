"""Drain: how fast workers finish jobs that wait for them, and what that costs."""

import time
from typing import Final

from benchmarks import postgres
from benchmarks.arithmetic import most_at_once, rates
from benchmarks.bench import Bench
from benchmarks.children import Failed
from benchmarks.effects import Effects
from benchmarks.instruments.crew import Crew, crew
from benchmarks.instruments.verdict import refusal
from benchmarks.meter import Cost, Reading
from benchmarks.processes import peak_mb
from benchmarks.samples import Sample
from benchmarks.systems.system import Purpose, System
from benchmarks.waiting import until

_START_WITHIN_S: Final = 40.0
_SETTLED_WITHIN_S: Final = 30.0
_RUN_WITHIN_S: Final = 180.0


async def drain(
    bench: Bench, system: System, *, jobs: int, workers: int = 1, sleep_s: float = 0.0, case: str = ""
) -> Sample:
    """Fill a contender, start its workers, and measure until all is done.

    Args:
        sleep_s: how long each job waits; 0 is one that does nothing.

    Raises:
        Failed: it could not be filled, its workers did not start, or they did not come to an end.
    """
    await system.reset()
    url = bench.addresses.database_url(system.name)
    empty = await postgres.size_bytes(url) if system.uses_postgres else 0
    await system.fill(jobs)
    sample = await drain_filled(bench, system, jobs=jobs, workers=workers, sleep_s=sleep_s, case=case)
    if not system.uses_postgres:
        return sample
    return sample.with_more(database_bytes=(await postgres.size_bytes(url) - empty) / jobs)


async def drain_filled(
    bench: Bench,
    system: System,
    *,
    jobs: int,
    workers: int = 1,
    sleep_s: float = 0.0,
    case: str = "",
    backlog: int = 0,
) -> Sample:
    """As ``drain``, of a contender that is filled.

    Args:
        backlog: how many jobs wait; only the first ``jobs`` that end are waited for then. 0 is no more.
    """
    purpose = Purpose.IO if sleep_s else Purpose.DRAIN
    effects = bench.fresh_effects(backlog or jobs)
    url = bench.addresses.postgres_url
    await postgres.settle(url)
    written = await postgres.written_bytes(url)
    try:
        async with crew(bench, system, purpose, count=workers, sleep_s=sleep_s) as team:
            cost, begun = await _watched(bench, team, effects, jobs)
            held = peak_mb(team.pids)
            written = await postgres.written_bytes(url) - written
            settled_s = 0.0 if backlog else await _settled(system)
        kept = None if backlog else await system.kept()
        case = case or f"{workers} worker{'s' * (workers > 1)}"
        log = {"wal_bytes": written / jobs} if system.uses_postgres else {}
        return _sample(
            system, effects, cost, jobs=jobs - begun, case=case, backlog=backlog, kept=kept
        ).with_more(peak_mb=held, settled_s=settled_s, **log)
    finally:
        effects.close()


async def _watched(bench: Bench, team: Crew, effects: Effects, jobs: int) -> tuple[Cost, int]:
    """Return the cost from the first job on, and how many had ended by then."""
    await team.until_first(effects, within_s=_START_WITHIN_S)
    before = Reading.take(bench.servers, team.pids)
    begun = effects.jobs - effects.ended_ns().count(0)
    await team.until_ended(effects, jobs, within_s=_RUN_WITHIN_S)
    return Cost.between(before, Reading.take(bench.servers, team.pids)), begun


async def _settled(system: System) -> float:
    """Return how many seconds pass until the contender itself holds no job as not done."""
    begin = time.monotonic()

    async def done() -> bool:
        return not await system.kept()

    try:
        await until(done, within_s=_SETTLED_WITHIN_S, what="the last outcomes")
    except Failed:
        pass  # the verdict counts what is left
    return time.monotonic() - begin


def _sample(
    system: System, effects: Effects, cost: Cost, *, jobs: int, case: str, backlog: int, kept: int | None
) -> Sample:
    started, ended, runs = effects.started_ns(), effects.ended_ns(), effects.runs()
    measure = "io" if case == "io" else "drain"
    if backlog:
        why = "jobs ran more than once" if any(each > 1 for each in runs) else ""
    else:
        why = refusal(jobs=effects.jobs, runs=runs, ended_ns=ended, kept=kept)
    rate = rates(started, ended)
    # Where most had ended before the first reading, what lies behind it says nothing of a job.
    costs = cost.per_job(jobs) if jobs * 2 > effects.jobs - effects.ended_ns().count(0) else {}
    more = {"steady": rate.steady, **costs}
    if measure == "io":
        more["at_once"] = float(most_at_once(started, ended))
    return Sample(
        measure=measure,
        contender=system.name,
        case="" if case == "io" else case,
        value=None if why else rate.whole,
        refused=why,
        foreign=cost.foreign,
        more=more,
    )
