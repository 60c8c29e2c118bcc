"""PgQueuer on PostgreSQL by asyncpg."""

import asyncio
import json
import signal
from collections.abc import Sequence
from typing import Any

import asyncpg
import uvloop
from pgqueuer import PgQueuer, Queries
from pgqueuer.db import AsyncpgPoolDriver

from benchmarks.peers import place
from benchmarks.work import work

POOL = 10


class Producer:
    """One pool of connections; a batch is one statement."""

    async def open(self, *, in_flight: int) -> None:
        size = min(in_flight, POOL)
        self.pool = await asyncpg.create_pool(place.postgres_url(), min_size=size, max_size=size)
        self.queries = Queries(AsyncpgPoolDriver(self.pool))

    async def submit(self, payload: dict[str, Any]) -> None:
        await self.queries.enqueue("job", json.dumps(payload).encode())

    async def submit_batch(self, payloads: Sequence[dict[str, Any]]) -> None:
        count = len(payloads)
        await self.queries.enqueue(
            ["job"] * count, [json.dumps(each).encode() for each in payloads], [0] * count
        )

    async def close(self) -> None:
        await self.pool.close()


async def install() -> None:
    """Make its tables."""
    producer = Producer()
    await producer.open(in_flight=1)
    await producer.queries.install()
    await producer.close()


async def run_worker() -> None:
    options = place.options()
    queuer = PgQueuer.from_asyncpg_connection(await asyncpg.connect(place.postgres_url()))

    @queuer.entrypoint("job")
    async def job(its_job: Any) -> None:
        await work(json.loads(its_job.payload)["i"])

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queuer.shutdown.set)
    await queuer.run(batch_size=options.get("batch", 10), max_concurrent_tasks=options.get("tasks"))


if __name__ == "__main__":
    uvloop.run(run_worker())
