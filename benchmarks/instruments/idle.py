"""Idle: what a worker costs that has nothing to do."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from benchmarks.bench import Bench
from benchmarks.client import Load
from benchmarks.instruments.crew import crew
from benchmarks.meter import Cost, Reading
from benchmarks.processes import peak_mb
from benchmarks.samples import Sample
from benchmarks.submitting import submit
from benchmarks.systems.jobmill import Jobmill
from benchmarks.systems.system import Purpose, System

_WARM_JOBS: Final = 10
_START_WITHIN_S: Final = 60.0
#: After its last job, before it counts.
_REST_S: Final = 3.0


async def idle(bench: Bench, system: System, *, seconds: float) -> Sample:
    """Let one worker do a few jobs, and then nothing; raises ``Failed`` if it does not start."""
    await system.reset()
    effects = bench.fresh_effects(_WARM_JOBS)
    try:
        async with AsyncExitStack() as stack:
            team = await stack.enter_async_context(crew(bench, system, Purpose.IDLE))
            if isinstance(system, Jobmill):
                await system.fill(_WARM_JOBS)
            else:
                await submit(bench, system.entrance(), Load(jobs=_WARM_JOBS), log=system.name)
            await team.until_ended(effects, _WARM_JOBS, within_s=_START_WITHIN_S)
            await asyncio.sleep(_REST_S)
            before = Reading.take(bench.servers, team.pids)
            await asyncio.sleep(seconds)
            cost = Cost.between(before, Reading.take(bench.servers, team.pids))
            team.check()
            return Sample(
                measure="idle",
                contender=system.name,
                value=cost.workers / cost.seconds * 100,
                unit="% of a core",
                foreign=cost.foreign,
                more={
                    "rabbitmq_percent": cost.rabbit / cost.seconds * 100,
                    "postgresql_percent": cost.postgres / cost.seconds * 100,
                    "peak_mb": peak_mb(team.pids),
                },
            )
    finally:
        effects.close()
