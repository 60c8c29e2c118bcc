"""Priorities at twice what a worker can do: the high ones wait for nothing, and the low ones go on."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest

from jobmill.application.handlers import JobContext
from jobmill.domain.states import JobState, Priority

from tests.virtual_time import run_virtually
from tests.world import World

SLOTS: Final = 20
#: Of what the worker can do, each priority brings so much: together twice.
SHARE: Final = 2 / 3
SUBMITS: Final = 90
UNITS: Final = 3
UNIT_JOBS: Final = 4
#: Until the first jobs are through, the backlog grows as at any start.
WARM_UP: Final = 30
LOW_SHARE_MIN: Final = 0.04
JOB_S: Final = (0.1, 0.5, 2.0)


async def takes_as_long_as_it_says(payload: Mapping[str, Any], _context: JobContext) -> object:
    await asyncio.sleep(payload["s"])
    return None


@pytest.mark.parametrize("job_s", JOB_S)
def test_at_twice_the_capacity_high_does_not_pile_up_and_low_goes_on(job_s: float) -> None:
    """A job takes between half and one and a half times ``job_s``; they come in small parcels."""

    async def play() -> None:
        world = World(work=takes_as_long_as_it_says, timeout=timedelta(hours=1))
        world.node(concurrency=SLOTS)
        await world.passes(1)
        chance = Random(1)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        backlogs: list[int] = []
        for submit in range(SUBMITS):
            if submit == WARM_UP:
                world.runs.clear()
            for priority in Priority:
                for _ in range(UNITS):
                    s_each = job_s * chance.uniform(0.5, 1.5)
                    await world.submit(count=UNIT_JOBS, priority=priority, payload={"s": s_each})
            until_s = began_s + (submit + 1) * UNITS * UNIT_JOBS / SHARE * job_s / SLOTS
            assert until_s > loop.time(), "the client is too slow for its load"
            await world.passes(until_s - loop.time())
            backlogs.append(waiting(world)[Priority.HIGH])

        runs = Counter(world.job(ran.job_id).priority for ran in world.runs)
        assert runs[Priority.LOW] >= LOW_SHARE_MIN * runs.total(), runs
        assert runs[Priority.HIGH] > runs[Priority.NORMAL] > runs[Priority.LOW], runs
        assert max(backlogs[-WARM_UP:]) <= max(backlogs[:WARM_UP]) + SLOTS, backlogs
        assert waiting(world)[Priority.LOW] > SUBMITS, (runs, waiting(world))

    run_virtually(play())


def waiting(world: World) -> Counter[Priority]:
    """How many jobs of each priority have not begun."""
    return Counter(job.priority for job in world.tables.jobs.values() if job.state is JobState.QUEUED)
