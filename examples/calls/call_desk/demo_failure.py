"""Three calls: a line that is busy, one that is asked for twice, and a number that belongs to nobody."""

import asyncio
import time

import jobmill
from jobmill import Client, Job, JobState

from call_desk.following import call_id, jobs_of
from call_desk.messages import CALL_QUEUE, message
from call_desk.sending import URL, open_way
from call_desk.telephone import BUSY_TWICE, NOBODY, SOMEBODY


async def main(mill: Client) -> None:
    series = f"demo{time.time_ns()}"
    busy, twice, wrong = (f"{series}-{name}" for name in ("busy", "twice", "wrong"))
    wanted = [message(busy, BUSY_TWICE), message(twice, SOMEBODY), message(wrong, NOBODY)]

    print("Three calls are asked for, one of them twice:")
    async with open_way() as send:
        await send(wanted, CALL_QUEUE)
        await send(wanted[1:2], CALL_QUEUE)
    jobs = sorted(await jobs_of(mill, [busy, twice, wrong]), key=call_id)
    for job in jobs:
        tell(job)
    [dead] = [job for job in jobs if call_id(job) == wrong]
    letters = {letter.id for letter in await mill.list(type="call.process", status=[JobState.FAILED])}
    print(f"The wrong number lies with the dead letters: {dead.id in letters}")

    print("Requeued, with the right one:")
    await mill.requeue(dead, payload={"call_id": wrong, "phone_number": SOMEBODY})
    tell(await mill.wait(dead))


def tell(job: Job) -> None:
    name = call_id(job).partition("-")[2]
    print(f"  {name}: {job.status.value}, attempts {job.attempts}" + (f", {job.error}" if job.error else ""))


async def run() -> None:
    async with jobmill.connect(URL) as mill:
        await main(mill)


if __name__ == "__main__":
    asyncio.run(run())
