"""A run: contenders made ready, parts played, everything removed again, whatever happens."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from attrs import asdict, frozen

from benchmarks.bench import Bench
from benchmarks.machine import machine, versions
from benchmarks.parts import PARTS
from benchmarks.results import Results
from benchmarks.rounds import Patience, played
from benchmarks.samples import Sample
from benchmarks.size import Size
from benchmarks.systems.system import System


@frozen(kw_only=True)
class Wishes:
    """What is to be measured: names of ``PARTS``, and how much."""

    parts: Sequence[str]
    size: Size


async def measure(
    bench: Bench, systems: Sequence[System], wishes: Wishes, *, tell: Callable[[Sample], None]
) -> Results:
    """Play all parts, and remove what was made for them, also where the task is cancelled meanwhile.

    A contender that cannot be made ready is told of and left out.

    Args:
        tell: hears of each sample at once.
    """
    begin, date = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    found = await versions(bench)
    samples: list[Sample] = []

    def take(sample: Sample) -> None:
        samples.append(sample)
        tell(sample)

    is_complete = False
    try:
        await _play(bench, systems, wishes, take)
        is_complete = True
    except asyncio.CancelledError:
        pass  # interrupted: what is known by now is the result
    finally:
        await _remove(bench, systems, take)
    return Results(
        date=date,
        size=wishes.size.name,
        parts=tuple(wishes.parts),
        seconds=time.monotonic() - begin,
        is_complete=is_complete,
        machine=machine(),
        versions=found,
        contenders={each.name: _facts(each) for each in systems},
        samples=samples,
    )


async def _play(
    bench: Bench, systems: Sequence[System], wishes: Wishes, take: Callable[[Sample], None]
) -> None:
    ready = [each for each in systems if await _is_ready(each, take)]
    patience = Patience(left=wishes.size.patience)
    for name in wishes.parts:
        part = PARTS[name]
        rounds = part.rounds(bench, ready, wishes.size)
        async for sample in played(rounds, repetitions=part.repetitions(wishes.size), patience=patience):
            take(sample)


async def _is_ready(system: System, take: Callable[[Sample], None]) -> bool:
    try:
        await system.prepare()
    except Exception as error:  # noqa: BLE001 - a contender's fault must not end the others' run
        take(Sample(measure="start", contender=system.name, refused=f"{type(error).__name__}: {error}"))
        return False
    return True


async def _remove(bench: Bench, systems: Sequence[System], take: Callable[[Sample], None]) -> None:
    for each in systems:
        try:
            await each.remove()
        except Exception as error:  # noqa: BLE001 - what can be removed is, whatever cannot
            take(Sample(measure="removal", contender=each.name, refused=f"{type(error).__name__}: {error}"))
    with contextlib.suppress(OSError):
        bench.clean_up()


def _facts(system: System) -> dict[str, object]:
    return {
        "title": system.title,
        "keeps": system.keeps,
        "settings": [asdict(each) for each in system.settings],
    }
