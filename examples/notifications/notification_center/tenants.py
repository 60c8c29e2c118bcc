"""One tenant's flood, and ten tenants that send a text each second: how long these wait, fair and not.

``python -m notification_center.tenants --slots 50 --flood 20000 --for-s 15``
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from attrs import frozen

import jobmill
from jobmill import Job, Submission

from notification_center.figures import ended_by, percentile, seconds
from notification_center.running import open_mill
from notification_center.sending import read_back, send_all, send_at_rate, settled

LATENCY_S = 0.1
SHARES = 8
FLOOD = "flood"
OTHERS = tuple(f"tenant-{number}" for number in range(10))


@frozen
class Run:
    """The texts of the ten, and how many of the flood went out a second beside them."""

    others: Sequence[Job]
    flood_rate: float


async def main(*, slots: int, flood: int, for_s: float) -> None:
    waits: list[float] = []
    print(f"{flood} texts of one tenant ahead, {len(OTHERS)} others with one a second each for {for_s:g} s")
    print("| queue | those beside the flood wait | those in its share wait | flood sent a second |")
    print("|---|---|---|---|")
    for fair in ("", f"sms:{SHARES}"):
        run = await measured(slots, flood, for_s, fair=fair)
        beside = waited(run.others, in_share_of_flood=False)
        within = waited(run.others, in_share_of_flood=True)
        waits.append(percentile(beside, 0.99))
        cells = ["fair" if fair else "plain", seconds(beside), seconds(within), f"{run.flood_rate:.0f}"]
        print(f"| {' | '.join(cells)} |")
    if waits[1] >= waits[0]:
        sys.exit("in a fair queue the others wait as long as in a plain one")


async def measured(slots: int, flood: int, for_s: float, *, fair: str) -> Run:
    """Store the flood, start a worker, and let the others send until all of theirs is done."""
    tag = f"tenants-{time.time_ns()}"
    settings = {
        "JOBMILL_CONCURRENCY": str(slots),
        "JOBMILL_SMS_URL": f"simulate://?latency_s={LATENCY_S}",
        "JOBMILL_FAIR_QUEUES": fair,
    }
    async with open_mill(settings) as started, jobmill.connect(started.url) as mill:
        await send_all(mill, texts([FLOOD], tag + FLOOD), flood)
        await started.start_workers(1)
        began = datetime.now(UTC)
        await send_at_rate(mill, texts(OTHERS, tag), rate=len(OTHERS), for_s=for_s)
        over = datetime.now(UTC)
        await settled(mill, tag)
        others, mass = await read_back(mill, tag), await read_back(mill, tag + FLOOD)
        meanwhile = ended_by(mass, over) - ended_by(mass, began)
        await settled(mill, tag + FLOOD)
    return Run(others, meanwhile / (over - began).total_seconds())


def texts(tenants: Sequence[str], tag: str) -> Iterator[Submission[Any]]:
    """Texts without end, of these tenants in turns."""
    while True:
        for tenant in tenants:
            payload = {"to": "+15550100123", "message": "There is news."}
            yield Submission("sms", payload, options={"tenant": tenant, "tags": [tag]})


def share_of(tenant: str) -> int:
    """In which share of a fair queue a tenant's jobs wait."""
    return int.from_bytes(blake2b(tenant.encode(), digest_size=8).digest()) % SHARES


def waited(jobs: Sequence[Job], *, in_share_of_flood: bool) -> list[float]:
    """Seconds from the submission of each to its start, of tenants in the flood's share or of all others."""
    return [
        (job.started_at - job.created_at).total_seconds()
        for job in jobs
        if job.started_at and (share_of(job.tenant or "") == share_of(FLOOD)) is in_share_of_flood
    ]


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--slots", type=int, default=50)
    options.add_argument("--flood", type=int, default=20_000)
    options.add_argument("--for-s", type=float, default=15.0)
    asyncio.run(main(**vars(options.parse_args())))
