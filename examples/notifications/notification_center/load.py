"""Load on what `make up` started: campaigns of 100 notifications each, and the report of every one.

``python -m notification_center.load 1000``, with the address of Jobmill in ``MILL_URL``.
"""

import asyncio
import os
import sys
import time
from itertools import islice

import jobmill
from jobmill import JobState, Submission

from notification_center.jobs import Campaign, report
from notification_center.messages import notifications
from notification_center.sending import read_back, settled

URL = os.environ.get("MILL_URL", "http://localhost:3000")
CAMPAIGN = 100


async def main(jobs: int) -> None:
    tag = f"load-{time.time_ns()}"
    each = notifications(tag)
    async with jobmill.connect(URL) as mill:
        began = time.perf_counter()
        campaigns = [
            await mill.submit_batch(
                list(islice(each, min(CAMPAIGN, jobs - first))),
                callback=Submission(report, Campaign(f"{tag}/{first // CAMPAIGN}")),
            )
            for first in range(0, jobs, CAMPAIGN)
        ]
        accepted = time.perf_counter()
        await settled(mill, tag, every_s=0.1)
        done = time.perf_counter()
        reports = [await mill.wait(campaign.id) for campaign in campaigns]
        ended = await read_back(mill, tag)
    print(f"accepted {jobs} in {accepted - began:.2f} s: {jobs / (accepted - began):.0f} a second")
    print(f"all had ended after {done - began:.2f} s: {jobs / (done - began):.0f} a second")
    for channel in ("email", "sms", "push"):
        mine = [job for job in ended if job.type == channel]
        sent = sum(job.status is JobState.SUCCEEDED for job in mine)
        print(f"  {channel}: {sent} of {len(mine)} sent")
    told = sum(each.result["sent"] for each in reports if each.succeeded)
    print(f"reports of {len(reports)} campaigns: {told} sent")
    if told != jobs:
        sys.exit("a notification is missing")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
