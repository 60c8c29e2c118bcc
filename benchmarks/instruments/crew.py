"""Workers of one contender, from their start to their end."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from attrs import frozen

from benchmarks.bench import Bench
from benchmarks.children import Child, Failed, running
from benchmarks.effects import Effects
from benchmarks.systems.system import Purpose, System
from benchmarks.waiting import until


@frozen(kw_only=True)
class Crew:
    """Workers that run."""

    workers: tuple[Child, ...]

    @property
    def pids(self) -> tuple[int, ...]:
        return tuple(each.pid for each in self.workers)

    def check(self) -> None:
        """Raise ``Failed`` if one of them has ended."""
        for each in self.workers:
            if each.has_ended:
                raise Failed(f"a worker ended with {each.process.returncode}: {each.last_words()}")

    async def until_first(self, effects: Effects, *, within_s: float) -> None:
        """Wait until a job begins; raises ``Failed``."""

        async def began() -> bool:
            self.check()
            return effects.some_began()

        await until(began, within_s=within_s, what="the first job", step_s=0.01)

    async def until_ended(self, effects: Effects, jobs: int, *, within_s: float) -> None:
        """Wait until so many jobs have ended; raises ``Failed``."""

        async def ended() -> bool:
            self.check()
            return effects.have_ended(jobs)

        await until(ended, within_s=within_s, what=f"the end of {jobs:,} jobs", step_s=0.02)


@asynccontextmanager
async def crew(
    bench: Bench, system: System, purpose: Purpose, *, count: int = 1, sleep_s: float = 0.0
) -> AsyncGenerator[Crew]:
    """Run workers while the block lasts."""
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(
                running(
                    system.worker(number, purpose, bench.noting(sleep_s=sleep_s)),
                    log=bench.log(system.name, purpose.value, str(number)),
                )
            )
            for number in range(count)
        ]
        yield Crew(workers=tuple(workers))
