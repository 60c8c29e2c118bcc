"""Constant load: an even stream of submissions, held back only where too much is open."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

from attrs import frozen

from tests.chaos.client import Client
from tests.chaos.mix import draw

SUBMITTERS: Final = 6
BATCH: Final = 50
#: One request in so many carries a single job.
SINGLE_EVERY: Final = 8


@frozen(kw_only=True)
class Load:
    """Submits until told to stop; what was begun by then is brought to its answer.

    Args:
        jobs_per_s: aimed at.
        open_max: with so many accepted and not ended, new ones wait.
        count_open: tells that number.
    """

    client: Client
    chance: random.Random
    jobs_per_s: float
    open_max: int
    count_open: Callable[[], int]

    async def run(self, stop: asyncio.Event) -> None:
        """Submit until ``stop``."""
        async with asyncio.TaskGroup() as group:
            for number in range(SUBMITTERS):
                group.create_task(self._submit(random.Random(self.chance.random()), number, stop))

    async def _submit(self, chance: random.Random, number: int, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        every_s = BATCH * SUBMITTERS / self.jobs_per_s
        due_s = loop.time() + every_s * number / SUBMITTERS
        while not stop.is_set():
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            due_s = max(due_s + every_s, loop.time() - every_s)  # what an outage held up is not made up for
            if self.count_open() >= self.open_max or stop.is_set():
                continue
            if chance.randrange(SINGLE_EVERY) == 0:
                await self.client.submit(draw(chance, 1))
            await self.client.submit(draw(chance, BATCH))
