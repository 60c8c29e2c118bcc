"""Load: ask for many calls, every tenth of them twice, and wait until all have been placed.

``python -m call_desk.load 5000``, with the address of Jobmill in ``CALLS_URL``, and with the broker's in
``JOBMILL_BROKER_URL`` if there is one.
"""

import asyncio
import sys
import time

import jobmill

from call_desk.following import jobs_of
from call_desk.messages import CALL_QUEUE, calls
from call_desk.sending import URL, open_way


async def main(count: int) -> None:
    wanted = list(calls(f"load{time.time_ns()}", count))
    again = wanted[::10]
    async with jobmill.connect(URL) as mill, open_way() as send:
        began = time.perf_counter()
        await send(wanted, CALL_QUEUE)
        await send(again, CALL_QUEUE)
        sent = time.perf_counter()
        jobs = await jobs_of(mill, {each.call_id for each in wanted})
        done = time.perf_counter()
    placed = sum(job.succeeded for job in jobs)
    print(f"asked for {count} calls, {len(again)} of them twice, in {sent - began:.2f} s")
    print(f"all had been placed after {done - began:.2f} s: {count / (done - began):.0f} a second")
    print(f"{len(jobs)} jobs, {placed} of them succeeded")
    if not len(jobs) == placed == count:
        sys.exit("a call was lost, doubled or not answered")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
