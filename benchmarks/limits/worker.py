"""Takes parcels, marks their jobs as begun and as done, and acknowledges many at once."""

import asyncio
import json
import signal

import aiormq
import asyncpg
import uvloop
from aiormq import spec
from aiormq.abc import DeliveredMessage

from benchmarks.limits.statements import UPDATE
from benchmarks.peers import place
from benchmarks.work import work

#: Parcels in hand, and how many make one statement.
PREFETCH = 40
TOGETHER = 10


async def main() -> None:
    """Run until told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = await asyncpg.connect(place.postgres_url())
    broker = await aiormq.connect(place.amqp_url())
    channel = await broker.channel()
    arrived: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
    await channel.basic_qos(prefetch_count=PREFETCH)
    await channel.basic_consume(place.queue_name("limit"), arrived.put)
    working = asyncio.create_task(_work(store, channel, arrived))
    await stop.wait()
    working.cancel()
    await broker.close()
    await store.close()


async def _work(
    store: asyncpg.Connection, channel: aiormq.abc.AbstractChannel, arrived: asyncio.Queue[DeliveredMessage]
) -> None:
    while True:
        parcels = [await arrived.get()]
        while len(parcels) < TOGETHER and not arrived.empty():
            parcels.append(arrived.get_nowait())
        numbers = [job["i"] for parcel in parcels for job in json.loads(parcel.body)]
        await store.execute(UPDATE, numbers, 1)
        for number in numbers:
            await work(number)
        await store.execute(UPDATE, numbers, 2)
        last = parcels[-1].delivery
        assert isinstance(last, spec.Basic.Deliver)
        assert last.delivery_tag is not None
        await channel.basic_ack(last.delivery_tag, multiple=True)


if __name__ == "__main__":
    uvloop.run(main())
