"""Three updates that end with the dead letters, and what the dead-letter consumer does with each by rule."""

import asyncio
import os
import time
from datetime import timedelta

import httpx

import jobmill
from jobmill import Client, Job

from odds_board.dead_letters import look

URL = os.environ.get("BOARD_URL", "http://localhost:3000")


async def main(mill: Client, http: httpx.AsyncClient) -> None:
    now = time.time_ns()
    early, late, wrong = (f"{name}-{now}" for name in ("early", "late", "wrong"))

    print("A boost that comes before its odds, one that has no time to wait, and one that is none:")
    before = await mill.submit("boost.update", boost(early, now))
    brief = await mill.submit("boost.update", boost(late, now), ttl=timedelta(seconds=0.15))
    await mill.wait(
        await mill.submit("odds.update", {"selection": wrong, "sequence": now, "price_milli": 5000})
    )
    none = await mill.submit("boost.update", boost(wrong, now))
    for job in (before, brief, none):
        tell(await mill.wait(job))

    print("The odds come, and the dead-letter consumer looks:")
    await mill.wait(
        await mill.submit("odds.update", {"selection": early, "sequence": now, "price_milli": 2000})
    )
    await look(http)

    print("What became of them:")
    tell(await mill.wait(before))
    for job in (brief, none):
        tell(await mill.get(job))


def boost(selection: str, sequence: int) -> dict[str, str | int]:
    return {"selection": selection, "sequence": sequence, "price_milli": 2500}


def tell(job: Job) -> None:
    name = job.payload["selection"].partition("-")[0]
    error = (job.error or "").partition(" for ")[0]
    print(f"  {name}: {job.status.value}, attempts {job.attempts}" + (f", {error}" if error else ""))


async def run() -> None:
    async with jobmill.connect(URL) as mill, httpx.AsyncClient(base_url=URL) as http:
        await main(mill, http)


if __name__ == "__main__":
    asyncio.run(run())
