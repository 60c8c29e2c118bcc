"""FastStream on RabbitMQ: durable classic queue, acknowledged after the handler."""

from collections.abc import Sequence
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue

from benchmarks.peers import place
from benchmarks.work import work

broker = RabbitBroker(place.amqp_url(), logger=None)
queue = RabbitQueue(place.queue_name("faststream"), durable=True, queue_type=QueueType.CLASSIC)
app = FastStream(broker)


@broker.subscriber(
    queue,
    channel=Channel(prefetch_count=place.options().get("prefetch", 200)),
    ack_policy=AckPolicy.NACK_ON_ERROR,
)
async def job(payload: dict[str, Any]) -> None:
    await work(payload["i"])


class Producer:
    """One broker object, one connection."""

    async def open(self, *, in_flight: int) -> None:
        await broker.connect()
        await broker.declare_queue(queue)

    async def submit(self, payload: dict[str, Any]) -> None:
        await broker.publish(payload, queue=queue, persist=True)

    async def submit_batch(self, payloads: Sequence[dict[str, Any]]) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        await broker.stop()
