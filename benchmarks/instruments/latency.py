"""Latency: from the call that submits a job to the start of its handler, at a fixed rate."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Final

from attrs import frozen

from benchmarks.arithmetic import latencies_ms, percentile
from benchmarks.bench import Bench
from benchmarks.children import Failed
from benchmarks.client import Load
from benchmarks.effects import Effects
from benchmarks.instruments.crew import Crew, crew
from benchmarks.instruments.verdict import refusal
from benchmarks.samples import Sample
from benchmarks.submitting import Submission, submit
from benchmarks.systems.jobmill import Jobmill
from benchmarks.systems.system import Entrance, Purpose, System

#: Calls that a threaded client, or one over HTTP, may have open at once.
_IN_FLIGHT: Final = 16
_WARM_JOBS: Final = 20
_WARM_RATE: Final = 20.0
_START_WITHIN_S: Final = 60.0
_END_WITHIN_S: Final = 10.0
#: A client that takes so many times longer than it should has not kept its rate.
LATE: Final = 1.05


@frozen(kw_only=True)
class _Stretch:
    """Jobs of one rate, by their numbers."""

    rate: float
    first: int
    jobs: int


async def latency(bench: Bench, system: System, *, rates: Mapping[float, float]) -> list[Sample]:
    """Measure one worker at several rates, one after the other, after a few jobs that do not count.

    Jobmill is submitted to as a service is: over HTTP, through a process that publishes by itself.

    Args:
        rates: seconds for which each rate is kept, by the jobs per second.

    Raises:
        Failed: the worker does not start.
    """
    await system.reset()
    warming, *stretches = _stretches(rates)
    effects = bench.fresh_effects(stretches[-1].first + stretches[-1].jobs)
    try:
        async with AsyncExitStack() as stack:
            entrance = system.entrance()
            if isinstance(system, Jobmill):
                _, port = await stack.enter_async_context(system.api())
                entrance = system.http_entrance(port, in_flight=_IN_FLIGHT)
            team = await stack.enter_async_context(crew(bench, system, Purpose.LATENCY))
            await _play(bench, system, entrance, team, effects, warming, end_within_s=_START_WITHIN_S)
            return [await _measured(bench, system, entrance, team, effects, stretch) for stretch in stretches]
    finally:
        effects.close()


def _stretches(rates: Mapping[float, float]) -> list[_Stretch]:
    stretches = [_Stretch(rate=_WARM_RATE, first=0, jobs=_WARM_JOBS)]
    for rate, seconds in rates.items():
        last = stretches[-1]
        stretches.append(_Stretch(rate=rate, first=last.first + last.jobs, jobs=int(rate * seconds)))
    return stretches


async def _measured(
    bench: Bench, system: System, entrance: Entrance, team: Crew, effects: Effects, stretch: _Stretch
) -> Sample:
    case = f"{stretch.rate:g}/s"
    try:
        done = await _play(bench, system, entrance, team, effects, stretch, end_within_s=_END_WITHIN_S)
    except Failed as error:
        return Sample(measure="latency", contender=system.name, case=case, unit="ms", refused=str(error))
    if done.submitted.seconds > stretch.jobs / stretch.rate * LATE + 1 / stretch.rate:
        why = f"its client kept {done.rate:,.0f}/s only"
        return Sample(measure="latency", contender=system.name, case=case, unit="ms", refused=why)
    part = slice(stretch.first, stretch.first + stretch.jobs)
    submitted, started = effects.submitted_ns()[part], effects.started_ns()[part]
    ended, runs = effects.ended_ns()[part], effects.runs()[part]
    if why := refusal(jobs=stretch.jobs, runs=runs, ended_ns=ended, kept=None):
        return Sample(measure="latency", contender=system.name, case=case, unit="ms", refused=why)
    waits = latencies_ms(submitted, started)
    return Sample(
        measure="latency",
        contender=system.name,
        case=case,
        value=percentile(waits, 0.5),
        unit="ms",
        foreign=done.cost.foreign,
        more={"p95": percentile(waits, 0.95), "p99": percentile(waits, 0.99), "longest": max(waits)},
    )


async def _play(
    bench: Bench,
    system: System,
    entrance: Entrance,
    team: Crew,
    effects: Effects,
    stretch: _Stretch,
    *,
    end_within_s: float,
) -> Submission:
    """Submit a stretch and wait for its end; raises ``Failed`` if it does not come."""
    load = Load(jobs=stretch.jobs, first=stretch.first, rate=stretch.rate, in_flight=_IN_FLIGHT)
    done = await submit(bench, entrance, load, log=system.name)
    await team.until_ended(effects, stretch.first + stretch.jobs, within_s=end_within_s)
    return done
