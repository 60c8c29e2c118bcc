"""Load: make many tasks over HTTP, wait until all their events have been processed, and count them.

``python -m task_board.load 1000``, with the addresses in ``TASKS_URL`` and ``MILL_URL``.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx

import jobmill
from jobmill import Client, JobState

from task_board.demo_failure import MILL_URL, TASKS_URL

AT_ONCE = 20
PAGE = 200
OPEN = (JobState.QUEUED, JobState.PROCESSING, JobState.RETRYING)


async def main(tasks: int) -> None:
    began, beginning = time.perf_counter(), datetime.now(UTC)
    async with httpx.AsyncClient(base_url=TASKS_URL, timeout=30) as http, jobmill.connect(MILL_URL) as mill:
        numbers = iter(range(tasks))
        await asyncio.gather(*(make_tasks(http, numbers) for _ in range(AT_ONCE)))
        made = time.perf_counter()
        while await mill.list(type="TASK_CREATED", status=OPEN, limit=1):
            await asyncio.sleep(0.05)
        done = time.perf_counter()
        processed = await count_since(mill, beginning)
    print(f"made {tasks} tasks in {made - began:.2f} s: {tasks / (made - began):.0f} a second")
    print(f"all events were processed {done - made:.2f} s later: {processed} of {tasks}")
    if processed != tasks:
        sys.exit("an event is missing, or is one too many")


async def make_tasks(http: httpx.AsyncClient, numbers: Iterator[int]) -> None:
    for number in numbers:
        answer = await http.post("/tasks", json={"title": f"Task {number}", "userId": 1})
        answer.raise_for_status()


async def count_since(mill: Client, beginning: datetime) -> int:
    """How many events of new tasks have succeeded since."""
    count = 0
    page = await mill.list(type="TASK_CREATED", status=[JobState.SUCCEEDED], limit=PAGE)
    while page:
        count += sum(job.created_at >= beginning for job in page)
        if page[-1].created_at < beginning:
            break
        page = await mill.list(
            type="TASK_CREATED", status=[JobState.SUCCEEDED], limit=PAGE, after=page[-1].id
        )
    return count


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
