"""A provider that is down for a minute, under load: the breaker, the other provider, and the way back.

``python -m notification_center.outage --rate 50 --down-s 60``; with ``--alone`` there is no other provider.
"""

import argparse
import asyncio
import sys
import time

import httpx
from attrs import define, field

import jobmill
from jobmill import Job

from notification_center.figures import counts, seconds, to_done
from notification_center.messages import texts
from notification_center.running import open_mill, open_provider, texts_through
from notification_center.sending import read_back, send_at_rate, settled

#: As the guard calls it.
NAME = "sms:twilio"


@define
class Watched:
    """When the breaker of the provider changed, in seconds since the watch began."""

    url: str
    began: float = field(factory=time.perf_counter)
    changes: list[tuple[float, str]] = field(factory=list)

    @property
    def state(self) -> str:
        return self.changes[-1][1] if self.changes else "closed"

    async def look(self) -> None:
        """Look ten times a second, until cancelled."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            while True:
                for each in (await client.get("/api/providers")).json():
                    if each["name"] == NAME and each["state"] != self.state:
                        self.changes.append((time.perf_counter() - self.began, each["state"]))
                await asyncio.sleep(0.1)

    async def until_closed(self) -> None:
        while self.state != "closed":
            await asyncio.sleep(0.1)


async def main(*, rate: float, before_s: float, down_s: float, after_s: float, alone: bool) -> None:
    tag = f"outage-{time.time_ns()}"
    async with open_provider(latency_s=0.5) as provider:
        settings = {
            "JOBMILL_SMS_URL": texts_through(provider) + ("" if alone else ",simulate://?latency_s=0.5")
        }
        async with open_mill(settings) as started, jobmill.connect(started.url) as mill:
            await started.start_workers(1)
            await mill.wait(await mill.submit("sms", {"to": "+15550100200", "message": "Are you there?"}))
            watched = Watched(started.url)
            watching = asyncio.create_task(watched.look())
            sending = asyncio.create_task(
                send_at_rate(mill, texts(tag), rate=rate, for_s=before_s + down_s + after_s)
            )
            await asyncio.sleep(before_s)
            off_s = time.perf_counter() - watched.began
            await provider.put("/off")
            await asyncio.sleep(down_s)
            if not after_s:
                await sending
                await settled(mill, tag)
            on_s = time.perf_counter() - watched.began
            seen = (await provider.put("/on")).json()
            sent = await sending
            if after_s:
                async with asyncio.timeout(180):
                    await watched.until_closed()
            await settled(mill, tag)
            watching.cancel()
            jobs = await read_back(mill, tag)
    ups = [f"{state} at {at_s:.1f} s" for at_s, state in watched.changes]
    print(f"{sent.stored} texts, {rate:g} a second; the provider was down from {off_s:.1f} s to {on_s:.1f} s")
    print(f"breaker: {', '.join(ups)}")
    print(f"while it was down it was asked {seen['turned_away']} times")
    print(f"what became of the texts: {counts(jobs, lambda job: job.status.value)}")
    print(f"attempts: {counts(jobs, lambda job: job.attempts)}")
    print(f"carried by: {counts(jobs, carrier)}")
    print(f"from the submission to the end: {seconds(to_done(jobs))}")
    if len(jobs) != sent.stored or not all(job.succeeded for job in jobs):
        sys.exit("a text was lost")


def carrier(job: Job) -> str:
    return str(job.result["provider"]) if job.succeeded else "nobody"


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=50.0)
    options.add_argument("--before-s", type=float, default=10.0)
    options.add_argument("--down-s", type=float, default=60.0)
    options.add_argument("--after-s", type=float, default=60.0, help="0: it stays down to the end")
    options.add_argument("--alone", action="store_true")
    asyncio.run(main(**vars(options.parse_args())))
