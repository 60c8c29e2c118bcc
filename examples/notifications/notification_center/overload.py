"""Twice as many texts as a worker can send: the urgent ones overtake, those that can wait still move.

``python -m notification_center.overload --slots 20 --for-s 60``
"""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime

import jobmill
from jobmill import Priority

from notification_center.figures import ended_by, percentile, seconds
from notification_center.messages import texts
from notification_center.running import open_mill
from notification_center.sending import read_back, send_at_rate, settled

LATENCY_S = 0.5
#: Of twenty texts six are urgent and four can wait.
MIXED = [
    *[Priority.HIGH, Priority.NORMAL, Priority.NORMAL, Priority.LOW, Priority.HIGH] * 2,
    *[Priority.NORMAL, Priority.HIGH, Priority.NORMAL, Priority.LOW, Priority.NORMAL] * 2,
]


async def main(*, slots: int, for_s: float) -> None:
    tag = f"overload-{time.time_ns()}"
    bears = slots / LATENCY_S
    settings = {
        "JOBMILL_CONCURRENCY": str(slots),
        "JOBMILL_SMS_URL": f"simulate://?latency_s={LATENCY_S}",
    }
    async with open_mill(settings) as started, jobmill.connect(started.url) as mill:
        await started.start_workers(1)
        began = datetime.now(UTC)
        sent = await send_at_rate(mill, texts(tag, MIXED), rate=2 * bears, for_s=for_s)
        over = datetime.now(UTC)
        middle = began + (over - began) / 2
        await settled(mill, tag)
        jobs = await read_back(mill, tag)
    print(f"{sent.stored} texts in {for_s:g} s, refused {sent.refused}; a worker sends {bears:g} a second")
    print(f"a call that submits took {seconds(sent.call_s)}")
    print("| priority | submitted | sent meanwhile | of all sent | left at half | at the end | wait | p99 |")
    print("|---|---|---|---|---|---|---|---|")
    middle_waits: list[float] = []
    sent_meanwhile = 0
    for priority in Priority:
        mine = [job for job in jobs if job.priority is priority]
        sent_meanwhile = ended_by(mine, over)
        half = sum(job.created_at <= middle for job in mine) - ended_by(mine, middle)
        waits = [(job.started_at - job.created_at).total_seconds() for job in mine if job.started_at]
        middle_waits.append(percentile(waits, 0.5))
        cells = [priority.value, len(mine), sent_meanwhile, f"{sent_meanwhile / ended_by(jobs, over):.0%}"]
        cells += [half, len(mine) - sent_meanwhile, f"{middle_waits[-1]:.2f} s"]
        print(f"| {' | '.join(map(str, cells))} | {percentile(waits, 0.99):.2f} s |")
    if middle_waits != sorted(middle_waits) or not sent_meanwhile:
        sys.exit("a priority was overtaken by a lower one, or those that can wait stood still")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--slots", type=int, default=20)
    options.add_argument("--for-s", type=float, default=60.0)
    asyncio.run(main(**vars(options.parse_args())))
