"""Make the producer's queues before anything starts: ``python -m call_desk.queues``. Again is harmless.

Workers would make them as well, in the same way; a producer may be earlier.
"""

import asyncio

import aiormq

from call_desk.messages import CALL_QUEUE, URGENT_CALL_QUEUE
from call_desk.sending import BROKER, WITHIN_S


async def make_queues(url: str) -> None:
    async with asyncio.timeout(WITHIN_S):
        connection = await aiormq.connect(url)
        try:
            channel = await connection.channel()
            for queue in (CALL_QUEUE, URGENT_CALL_QUEUE):
                await channel.queue_declare(queue, durable=True)
                print(f"the queue {queue} is there")
        finally:
            await connection.close()


if __name__ == "__main__":
    asyncio.run(make_queues(BROKER))
