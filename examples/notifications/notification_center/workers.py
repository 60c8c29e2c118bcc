"""What each further worker process adds: a backlog that waits, then one worker, then two, then three.

``python -m notification_center.workers --workers 1 2 3 --jobs 50000``
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

import jobmill
from jobmill import JobState

from notification_center.figures import middle_rate
from notification_center.messages import notifications
from notification_center.minute import SETTINGS
from notification_center.running import open_mill
from notification_center.sending import read_back, send_all, settled


async def main(*, workers: Sequence[int], jobs: int) -> None:
    print("| worker processes | notifications | sent a second | of one worker |")
    print("|---|---|---|---|")
    first: float | None = None
    for count in workers:
        rate = await drain(count, jobs)
        first = first or rate
        print(f"| {count} | {jobs} | {rate:.0f} | {rate / first:.2f} × |", flush=True)


async def drain(workers: int, jobs: int) -> float:
    """Notifications a second over the middle 80 % of a backlog."""
    tag = f"workers-{time.time_ns()}"
    async with open_mill(SETTINGS) as started, jobmill.connect(started.url) as mill:
        if started.is_embedded:
            sys.exit("embedded there is one worker; set JOBMILL_DATABASE_URL and JOBMILL_BROKER_URL")
        await send_all(mill, notifications(tag), jobs)
        await started.start_workers(workers)
        await settled(mill, tag)
        ended = await read_back(mill, tag)
    sent = sum(job.status is JobState.SUCCEEDED for job in ended)
    if sent != jobs:
        sys.exit(f"{sent} of {jobs} were sent, so there is no figure")
    return middle_rate(ended)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    options.add_argument("--jobs", type=int, default=50_000)
    asyncio.run(main(**vars(options.parse_args())))
