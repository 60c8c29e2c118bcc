"""Jobmill's own client, by the database's URL."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import jobmill

from benchmarks.jobmill_app.handlers import Order, job
from benchmarks.peers import place


class Producer:
    """One client, which groups by itself what is submitted at the same time."""

    async def open(self, *, in_flight: int) -> None:
        self._open = AsyncExitStack()
        self._client = await self._open.enter_async_context(jobmill.connect(place.postgres_url()))

    async def submit(self, payload: dict[str, Any]) -> None:
        await self._client.submit(job, Order(**payload))

    async def submit_batch(self, payloads: Sequence[dict[str, Any]]) -> None:
        await self._client.submit_many([jobmill.Submission(job, Order(**each)) for each in payloads])

    async def close(self) -> None:
        await self._open.aclose()
