"""How calls are handed over: to RabbitMQ, or over HTTP where ``make up`` runs without a broker."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import aiormq
from aiormq.abc import AbstractChannel
from attrs import asdict

import jobmill
from jobmill import Client, Priority, Submission

from call_desk.messages import CALL_QUEUE, URGENT_CALL_QUEUE, CallMessage

BROKER = os.environ.get("JOBMILL_BROKER_URL", "")
URL = os.environ.get("CALLS_URL", "http://localhost:3000")
#: Messages on their way to the broker at once, and jobs in one request.
AT_ONCE = 200
WITHIN_S = 30.0

#: Hands calls over to a queue of the broker, and returns when they are safe.
Send = Callable[[Sequence[CallMessage], str], Awaitable[None]]


@asynccontextmanager
async def open_way() -> AsyncGenerator[Send]:
    """The way that the settings name: by the broker if there is one."""
    async with by_broker(BROKER) if BROKER.startswith("amqp") else by_http(URL) as send:
        yield send


@asynccontextmanager
async def by_broker(url: str) -> AsyncGenerator[Send]:
    """Publish straight into the queue. Nothing here is of Jobmill: any language does it alike."""
    async with asyncio.timeout(WITHIN_S):
        connection = await aiormq.connect(url)
        channel = await connection.channel(publisher_confirms=True)

    async def send(messages: Sequence[CallMessage], queue: str) -> None:
        for first in range(0, len(messages), AT_ONCE):
            async with asyncio.timeout(WITHIN_S):
                some = messages[first : first + AT_ONCE]
                await asyncio.gather(*(publish(channel, message, queue) for message in some))

    try:
        yield send
    finally:
        await connection.close()


async def publish(channel: AbstractChannel, message: CallMessage, queue: str) -> None:
    """Hand one call to the broker; raises where there is no such queue, or the broker does not confirm."""
    # Where a message has an id, that tells it from others, else its call_id does. This library gives each
    # publishing a new id unless it is told one.
    about = aiormq.spec.Basic.Properties(
        message_id=message.call_id, content_type="application/json", delivery_mode=2
    )
    body = json.dumps(asdict(message)).encode()
    await channel.basic_publish(body, routing_key=queue, properties=about, mandatory=True)


@asynccontextmanager
async def by_http(url: str) -> AsyncGenerator[Send]:
    """Submit the jobs that a worker would make of the messages."""
    async with jobmill.connect(url) as mill:

        async def send(messages: Sequence[CallMessage], queue: str) -> None:
            for first in range(0, len(messages), AT_ONCE):
                await submit(mill, messages[first : first + AT_ONCE], queue)

        yield send


async def submit(mill: Client, messages: Sequence[CallMessage], queue: str) -> None:
    """Submit calls; one that was submitted before is the job that it became."""
    priority = {URGENT_CALL_QUEUE: Priority.HIGH, CALL_QUEUE: Priority.NORMAL}[queue]
    await mill.submit_many(
        [
            Submission(
                "call.process",
                {"call_id": each.call_id, "phone_number": each.phone_number},
                options={"idempotency_key": f"{queue}:{each.call_id}", "priority": priority},
            )
            for each in messages
        ]
    )
