"""Procrastinate on PostgreSQL by psycopg."""

import logging
from collections.abc import Sequence
from typing import Any

import uvloop
from procrastinate import App, PsycopgConnector

from benchmarks.peers import place
from benchmarks.work import work

options = place.options()
pool = options.get("pool", 10)
app = App(connector=PsycopgConnector(conninfo=place.postgres_url(), min_size=1, max_size=pool))


@app.task(name="job", queue="bench")
async def job(payload: dict[str, Any]) -> None:
    await work(payload["i"])


class Producer:
    """One pool of connections; a batch is one statement."""

    async def open(self, *, in_flight: int) -> None:
        await app.open_async()

    async def submit(self, payload: dict[str, Any]) -> None:
        await job.defer_async(payload=payload)

    async def submit_batch(self, payloads: Sequence[dict[str, Any]]) -> None:
        await job.batch_defer_async(*[{"payload": each} for each in payloads])

    async def close(self) -> None:
        await app.close_async()


async def install() -> None:
    """Make its tables."""
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


async def run_worker() -> None:
    async with app.open_async():
        await app.run_worker_async(
            queues=["bench"],
            concurrency=options.get("jobs", 1),
            delete_jobs="never",
            shutdown_graceful_timeout=5,
        )


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    uvloop.run(run_worker())
