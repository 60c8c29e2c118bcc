"""Taskiq on RabbitMQ by aio-pika, with durable queues."""

from collections.abc import Sequence
from typing import Any

from taskiq_aio_pika import AioPikaBroker, Exchange, Queue, QueueType

from benchmarks.peers import place
from benchmarks.work import work

name = place.queue_name("taskiq")
broker = AioPikaBroker(
    place.amqp_url(),
    qos=place.options().get("qos", 10),
    exchange=Exchange(name=name),
    task_queues=[Queue(name=name, type=QueueType.CLASSIC)],
    dead_letter_queue=Queue(name=f"{name}.dead", type=QueueType.CLASSIC),
)


@broker.task(task_name="job")
async def job(payload: dict[str, Any]) -> None:
    await work(payload["i"])


class Producer:
    """One broker object, one connection."""

    async def open(self, *, in_flight: int) -> None:
        await broker.startup()

    async def submit(self, payload: dict[str, Any]) -> None:
        await job.kiq(payload)

    async def submit_batch(self, payloads: Sequence[dict[str, Any]]) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        await broker.shutdown()
