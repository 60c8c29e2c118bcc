"""Submitting at a rate, waiting until all is done, and reading back what became of it."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from attrs import define, field

from jobmill import Client, Job, JobState, QueueFull, Submission

OPEN = (JobState.QUEUED, JobState.PROCESSING, JobState.RETRYING, JobState.SCHEDULED)
STEP_S = 0.1
BATCH = 500
PAGE = 200


@define
class Sent:
    """What was submitted: how many were stored and refused, and how long each call took."""

    stored: int = 0
    refused: int = 0
    call_s: list[float] = field(factory=list)

    async def submit(self, mill: Client, wave: Sequence[Submission[Any]]) -> None:
        began = time.perf_counter()
        try:
            await mill.submit_many(wave)
            self.stored += len(wave)
        except QueueFull:  # says so before anything is stored; here nobody comes back with them
            self.refused += len(wave)
        self.call_s.append(time.perf_counter() - began)


async def send_at_rate(mill: Client, each: Iterator[Submission[Any]], *, rate: float, for_s: float) -> Sent:
    """Submit so many a second, in ten calls a second; late calls are made up for, never left out."""
    sent, began, asked = Sent(), time.perf_counter(), 0
    for step in range(1, round(for_s / STEP_S) + 1):
        due = round(rate * step * STEP_S)
        await sent.submit(mill, list(islice(each, due - asked)))
        asked = due
        await asyncio.sleep(max(0.0, began + step * STEP_S - time.perf_counter()))
    return sent


async def send_all(mill: Client, each: Iterator[Submission[Any]], jobs: int) -> Sent:
    """Submit so many as quickly as it goes."""
    sent = Sent()
    for first in range(0, jobs, BATCH):
        await sent.submit(mill, list(islice(each, min(BATCH, jobs - first))))
    return sent


async def settled(mill: Client, tag: str, *, every_s: float = 0.5) -> None:
    """Wait until none of them is open."""
    while await mill.list(tag=tag, status=OPEN, limit=1):
        await asyncio.sleep(every_s)


async def read_back(mill: Client, tag: str) -> Sequence[Job]:
    """All jobs of a tag, newest first."""
    jobs: list[Job] = []
    page = await mill.list(tag=tag, limit=PAGE)
    while page:
        jobs += page
        page = await mill.list(tag=tag, limit=PAGE, after=page[-1])
    return jobs
