"""Running a client: one process that submits, and what that cost everybody."""

import time
from collections.abc import Mapping
from typing import Final

from attrs import evolve, frozen

from benchmarks import postgres
from benchmarks.bench import Bench
from benchmarks.children import Child, Command, running
from benchmarks.client import Load, Submitted, answer_of
from benchmarks.meter import Cost, Reading
from benchmarks.systems.system import Entrance

_READY_WITHIN_S: Final = 30.0
_MODULE: Final = "benchmarks.client"


@frozen(kw_only=True)
class Submission:
    """What came of it.

    Args:
        begun_ns: when the client was told to begin, on the monotonic clock.
        wal_bytes: what PostgreSQL wrote to its log, whoever made it do so.
    """

    submitted: Submitted
    cost: Cost
    begun_ns: int
    wal_bytes: float

    @property
    def rate(self) -> float:
        return self.submitted.jobs / self.submitted.seconds


def client(python: str, module: str, env: Mapping[str, str]) -> Command:
    """Return the program of an entrance."""
    return Command(words=[python, "-m", _MODULE, module], env=env)


async def submit(
    bench: Bench,
    entrance: Entrance,
    load: Load,
    *,
    log: str,
    serving: tuple[int, ...] = (),
    within_s: float = 300.0,
) -> Submission:
    """Submit jobs from a process of their own.

    Args:
        serving: processes whose cost counts as the workers'.

    Raises:
        Failed: the client did not do all of it.
    """
    load = evolve(load, threaded=entrance.threaded)
    noting = bench.noting() if load.rate else {}
    program = Command(words=[*entrance.program.words, load.as_text()], env={**entrance.program.env, **noting})
    url = bench.addresses.postgres_url
    async with running(program, log=bench.log(log, "client"), talks=True) as process:
        await until_ready(process)
        wal, before = await postgres.written_bytes(url), Reading.take(bench.servers, serving)
        begun_ns = time.monotonic_ns()
        await process.say("go")
        answer = await process.read_line(within_s=within_s)
        after = Reading.take(bench.servers, serving)
        return Submission(
            submitted=answer_of(answer),
            cost=Cost.between(before, after),
            begun_ns=begun_ns,
            wal_bytes=await postgres.written_bytes(url) - wal,
        )


async def until_ready(process: Child) -> None:
    """Wait until a client is connected; whatever its libraries print before is passed over."""
    while (await process.read_line(within_s=_READY_WITHIN_S)).strip() != "ready":
        pass
