"""Asking a server whether it is there, as a client does: connect, log in, one question, bounded."""

import asyncio

import aiormq
import aiormq.exceptions
import asyncpg
import redis.asyncio
import redis.exceptions
from yarl import URL

from tests.servers.addresses import postgres_url
from tests.servers.errors import NoAnswer

ANSWER_WITHIN_S = 5.0


async def ask_rabbitmq(url: str) -> str:
    """The name of the cluster that answers at ``url``.

    Raises:
        NoAnswer: it cannot be reached, or refuses us.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await _knock(url)
            connection = await aiormq.connect(url)
            try:
                return str(connection.server_properties.get("cluster_name", ""))
            finally:
                await connection.close()
    except (OSError, aiormq.exceptions.AMQPError) as error:
        raise NoAnswer(_words(error)) from error


async def ask_postgres(url: str, *, question: str = "select version()") -> str:
    """What the server at ``url`` answers to a query of one value.

    Raises:
        NoAnswer: it cannot be reached, or refuses us.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            connection = await asyncpg.connect(postgres_url(url))
            try:
                return str(await connection.fetchval(question))
            finally:
                connection.terminate()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise NoAnswer(_words(error)) from error


async def ask_redis(url: str) -> str:
    """The version of the server that answers at ``url``.

    Raises:
        NoAnswer: it cannot be reached, or refuses us.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S), redis.asyncio.from_url(url) as client:
            return str((await client.info("server"))["redis_version"])
    except (OSError, redis.exceptions.RedisError, ValueError) as error:
        raise NoAnswer(_words(error)) from error


async def _knock(url: str) -> None:
    # The AMQP client is noisy about a closed door, so it is asked only where somebody opens.
    address = URL(url)
    _, writer = await asyncio.open_connection(address.host, address.port)
    writer.close()
    await writer.wait_closed()


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
