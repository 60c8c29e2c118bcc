"""Stores rows by the hundred and publishes them in parcels, each confirmed."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import aiormq
import asyncpg
from aiormq import spec

from benchmarks.limits.statements import INSERT, PARCEL
from benchmarks.peers import place

_PERSISTENT = spec.Basic.Properties(delivery_mode=2, content_type="application/json")


class Producer:
    """One connection to each server."""

    async def open(self, *, in_flight: int) -> None:
        self._store = await asyncpg.create_pool(place.postgres_url(), min_size=2, max_size=2)
        self._broker = await aiormq.connect(place.amqp_url())
        self._channel = await self._broker.channel(publisher_confirms=True)
        self._queue = place.queue_name("limit")

    async def submit(self, payload: dict[str, Any]) -> None:
        await self.submit_batch([payload])

    async def submit_batch(self, payloads: Sequence[dict[str, Any]]) -> None:
        bodies = [json.dumps(each) for each in payloads]
        await self._store.execute(INSERT, [each["i"] for each in payloads], bodies)
        await asyncio.gather(
            *[self._publish(bodies[at : at + PARCEL]) for at in range(0, len(bodies), PARCEL)]
        )

    async def _publish(self, bodies: Sequence[str]) -> None:
        parcel = f"[{','.join(bodies)}]".encode()
        await self._channel.basic_publish(parcel, routing_key=self._queue, properties=_PERSISTENT)

    async def close(self) -> None:
        await self._store.close()
        await self._broker.close()
