"""Messages that are doubled or dropped, queues that are deleted, and garbage."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage
from aiormq.exceptions import AMQPError
from pamqp.commands import Basic

from jobmill.application.codec.parcels import UnreadableParcel, open_parcel
from jobmill.domain.job import Job

from tests.chaos.faults.garbage import garbage
from tests.chaos.faults.scene import Aftermath, Fault, NotPossible, Scene
from tests.chaos.mix import failing_probe, probe
from tests.chaos.stage import LANES, PREFIX, QUEUES

WITHIN_S: Final = 10.0
CATCH_WITHIN_S: Final = 1.5
#: The rungs that the trial's retries take.
RUNGS: Final = ("retry.1", "retry.2", "retry.4")
_TROUBLE: Final = (OSError, TimeoutError, AMQPError, RuntimeError)


async def double(scene: Scene, chance: random.Random) -> Aftermath:
    """Parcels that are under way are delivered again, as copies, up to three times."""
    async with _channel(scene) as channel:
        caught = await _catch(channel, chance.choice(LANES), chance.randint(5, 20))
        for message in caught:
            for _ in range(chance.randint(1, 3)):
                await _publish(channel, PREFIX, str(message.routing_key), message.body, message)
                scene.tally.doubled += 1
    return Aftermath(note=f"{len(caught)} parcels")


async def drop(scene: Scene, chance: random.Random) -> Aftermath:
    """Parcels vanish out of a queue."""
    async with _channel(scene) as channel:
        caught = await _catch(channel, chance.choice(LANES), chance.randint(1, 3))
        for message in caught:
            await channel.basic_ack(message.delivery_tag or 0)
        # An answer to a later question says that the broker has seen the answers before.
        await channel.queue_declare(f"{PREFIX}.{LANES[0]}", passive=True)
    jobs = [job.id for message in caught for job in _jobs(message.body)]
    scene.tally.dropped += len(caught)
    return Aftermath(note=f"{len(caught)} parcels, {len(jobs)} jobs", touched=jobs)


async def delete_lane(scene: Scene, chance: random.Random) -> Aftermath:
    """A queue that is consumed is deleted, with what is in it."""
    lane = chance.choice(LANES)
    await _delete(scene, lane)
    return Aftermath(note=lane, probe=probe(*lane.split(".")))


async def delete_rung(scene: Scene, chance: random.Random) -> Aftermath:
    """A queue of the retry ladder is deleted, with what waits in it."""
    rung = chance.choice(RUNGS)
    await _delete(scene, rung)
    return Aftermath(note=rung, probe=failing_probe())


async def litter(scene: Scene, chance: random.Random) -> Aftermath:
    """Random and damaged bytes come into main queues, dead queues and the retry ladder."""
    async with _channel(scene) as channel:
        samples = [message.body for message in await _catch(channel, chance.choice(LANES), 3)]
        pieces = garbage(chance, samples, count=chance.randint(5, 30))
        for piece in pieces:
            exchange, key = _somewhere(chance)
            await _publish(channel, exchange, key, piece.body)
            if exchange != f"{PREFIX}.dead":
                scene.tally.garbage += piece.notices
    return Aftermath(note=f"{len(pieces)} messages")


async def _delete(scene: Scene, name: str) -> None:
    async with _channel(scene) as channel:
        await channel.queue_delete(f"{PREFIX}.{name}")


def _somewhere(chance: random.Random) -> tuple[str, str]:
    lane = chance.choice(LANES)
    dead = (f"{PREFIX}.dead", chance.choice(QUEUES))
    return chance.choice([(PREFIX, lane), (PREFIX, lane), (f"{PREFIX}.retry.1", lane), dead])


def _jobs(body: bytes) -> Sequence[Job]:
    try:
        return open_parcel(body).jobs
    except UnreadableParcel:
        return ()


@asynccontextmanager
async def _channel(scene: Scene) -> AsyncGenerator[AbstractChannel]:
    """A channel of our own, past the wire; what it holds at the end goes back into its queues."""
    try:
        async with asyncio.timeout(WITHIN_S):
            connection = await aiormq.connect(scene.stage.rabbit.url)
            try:
                yield await connection.channel(publisher_confirms=True)
            finally:
                await connection.close()
    except _TROUBLE as error:
        raise NotPossible(f"RabbitMQ does not answer: {error}") from error


async def _catch(channel: AbstractChannel, lane: str, count: int) -> list[DeliveredMessage]:
    """Take part in the consuming of a lane for a moment."""
    caught: list[DeliveredMessage] = []
    enough = asyncio.Event()

    async def take(message: DeliveredMessage) -> None:
        caught.append(message)
        if len(caught) >= count:
            enough.set()

    await channel.basic_qos(prefetch_count=count)
    consuming = await channel.basic_consume(f"{PREFIX}.{lane}", take)
    try:
        async with asyncio.timeout(CATCH_WITHIN_S):
            await enough.wait()
    except TimeoutError:
        pass  # what came, came
    await channel.basic_cancel(str(consuming.consumer_tag))
    return list(caught)


async def _publish(
    channel: AbstractChannel, exchange: str, key: str, body: bytes, like: DeliveredMessage | None = None
) -> None:
    properties = Basic.Properties(delivery_mode=2)
    if like is not None:
        given = like.header.properties
        properties = Basic.Properties(delivery_mode=2, content_type=given.content_type, headers=given.headers)
    await channel.basic_publish(body, exchange=exchange, routing_key=key, properties=properties)


FAULTS: Final = (
    Fault(name="parcels doubled", act=double),
    Fault(name="parcels dropped", act=drop),
    Fault(name="main queue deleted", act=delete_lane),
    Fault(name="retry queue deleted", act=delete_rung),
    Fault(name="garbage", act=litter),
)
