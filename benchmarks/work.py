"""What a handler does, in every contender alike: note that it ran, and wait where the instrument wants it."""

import asyncio
import os
import time
from typing import Final

from benchmarks.effects import VARIABLE, Effects

#: Seconds that each job takes; 0 is a job that does nothing.
SLEEP: Final = "JOBMILL_BENCH_SLEEP_S"

_sleep_s: Final = float(os.environ.get(SLEEP, "0"))
_effects: Final = Effects.of_this_run() if os.environ.get(VARIABLE) else None


async def work(number: int) -> None:
    """Run job ``number`` on a loop."""
    assert _effects is not None
    if not _sleep_s:
        _effects.run(number)
        return
    _effects.begin(number)
    await asyncio.sleep(_sleep_s)
    _effects.end(number)


def work_in_thread(number: int) -> None:
    """Run job ``number`` in a thread, a greenlet or a process, where waiting is the job's own business."""
    assert _effects is not None
    if not _sleep_s:
        _effects.run(number)
        return
    _effects.begin(number)
    _wait(_sleep_s)
    _effects.end(number)


# Looked up by its name, since gevent replaces it: a greenlet that waits lets the others run.
_wait = getattr(time, "sleep")  # noqa: B009
