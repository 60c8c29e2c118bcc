"""What a run asks of RabbitMQ for itself: how many messages wait, and its queues' end."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import aiormq
from aiormq.exceptions import ChannelNotFoundEntity


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[aiormq.abc.AbstractConnection]:
    """Hold one connection open."""
    connection = await aiormq.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def waiting(url: str, queues: Iterable[str]) -> int:
    """Return how many messages wait in these queues; one that is not there holds none."""
    total = 0
    async with connected(url) as connection:
        for queue in queues:
            channel = await connection.channel()
            try:
                answer = await channel.queue_declare(queue, passive=True)
            except ChannelNotFoundEntity:
                continue
            total += answer.message_count or 0
            await channel.close()
    return total


async def empty(url: str, queues: Iterable[str]) -> None:
    """Take all that waits out of these queues."""
    async with connected(url) as connection:
        for queue in queues:
            channel = await connection.channel()
            try:
                await channel.queue_purge(queue)
            except ChannelNotFoundEntity:
                continue
            await channel.close()


async def delete(url: str, *, queues: Iterable[str] = (), exchanges: Iterable[str] = ()) -> None:
    """Delete what is there of these."""
    async with connected(url) as connection:
        channel = await connection.channel()
        for queue in queues:
            await channel.queue_delete(queue)
        for exchange in exchanges:
            await channel.exchange_delete(exchange)
