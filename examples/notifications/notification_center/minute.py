"""50,000 notifications in a minute, through providers that take half a second, by one worker process.

``python -m notification_center.minute --rate 833.4 --for-s 60 --workers 1``
"""

import argparse
import asyncio
import time

import jobmill

from notification_center.figures import counts, middle_rate, most_open, seconds, to_done
from notification_center.messages import notifications
from notification_center.running import open_mill
from notification_center.sending import read_back, send_at_rate, settled

PROVIDERS = {f"JOBMILL_{channel}_URL": "simulate://?latency_s=0.5" for channel in ("SMTP", "SMS", "PUSH")}
#: 833 a second that take half a second each are 417 at once; the rest is room for what came late.
SETTINGS = {**PROVIDERS, "JOBMILL_CONCURRENCY": "1000"}


async def main(*, rate: float, for_s: float, workers: int) -> None:
    tag = f"minute-{time.time_ns()}"
    async with open_mill(SETTINGS) as started, jobmill.connect(started.url) as mill:
        await started.start_workers(workers)
        sent = await send_at_rate(mill, notifications(tag), rate=rate, for_s=for_s)
        await settled(mill, tag)
        jobs = await read_back(mill, tag)
    print(f"submitted {sent.stored} in {for_s:g} s, refused {sent.refused}")
    print(f"a call that submits took {seconds(sent.call_s)}")
    print(f"what became of them: {counts(jobs, lambda job: job.status.value)}")
    print(f"attempts: {counts(jobs, lambda job: job.attempts)}")
    print(f"channels: {counts(jobs, lambda job: job.type)}")
    print(f"worker processes: {workers}; sent {middle_rate(jobs):.0f} a second")
    print(f"open at once, at most: {most_open(jobs)}")
    print(f"from the submission to the end: {seconds(to_done(jobs))}")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=50_000 / 60)
    options.add_argument("--for-s", type=float, default=60.0)
    options.add_argument("--workers", type=int, default=1)
    asyncio.run(main(**vars(options.parse_args())))
