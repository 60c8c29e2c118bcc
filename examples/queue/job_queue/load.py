"""Load: submit many jobs over HTTP and wait until all have run.

``python -m job_queue.load 5000``, with the address of the queue in ``QUEUE_URL``.
"""

import asyncio
import os
import sys
import time

import jobmill
from jobmill import JobState, Submission

URL = os.environ.get("QUEUE_URL", "http://localhost:3000")
BATCH = 500
OPEN = (JobState.QUEUED, JobState.PROCESSING, JobState.RETRYING)


async def main(jobs: int) -> None:
    tag = f"load-{time.time_ns()}"
    async with jobmill.connect(URL) as mill:
        began = time.perf_counter()
        for first in range(0, jobs, BATCH):
            numbers = range(first, min(first + BATCH, jobs))
            await mill.submit_many(
                [Submission("REPORT", {"numbers": [n]}, options={"tags": [tag]}) for n in numbers]
            )
        accepted = time.perf_counter()
        while await mill.list(tag=tag, status=OPEN, limit=1):
            await asyncio.sleep(0.05)
        done = time.perf_counter()
        failed = await mill.list(tag=tag, status=[JobState.FAILED], limit=1)
    print(f"accepted {jobs} jobs in {accepted - began:.2f} s: {jobs / (accepted - began):.0f} a second")
    print(f"all had run after {done - began:.2f} s: {jobs / (done - began):.0f} a second")
    if failed:
        sys.exit(f"and some have failed, {failed[0].id} for one: {failed[0].error}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
