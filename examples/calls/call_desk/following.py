"""What became of the calls that were asked for."""

import asyncio
from collections.abc import Collection, Sequence

from jobmill import Client, Job

PAGE = 200
EVERY_S = 0.05
WITHIN_S = 60.0


async def jobs_of(mill: Client, call_ids: Collection[str]) -> Sequence[Job]:
    """The jobs of these calls, as they are when each of them has one and all are finished.

    Raises:
        TimeoutError: some are not after a minute.
    """
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = await look(mill, call_ids)
            if {call_id(job) for job in found} == set(call_ids) and all(job.is_finished for job in found):
                return found
            await asyncio.sleep(EVERY_S)


async def look(mill: Client, call_ids: Collection[str]) -> Sequence[Job]:
    """The jobs of these calls among the newest ones; the last page has none of them any more."""
    found: list[Job] = []
    page = await mill.list(type="call.process", limit=PAGE)
    while ours := [job for job in page if call_id(job) in call_ids]:
        found += ours
        page = await mill.list(type="call.process", limit=PAGE, after=page[-1])
    return found


def call_id(job: Job) -> str:
    return str(job.payload["call_id"])
