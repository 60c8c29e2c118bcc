"""Dramatiq on RabbitMQ, with confirms; on threads or on gevent by the command that starts it."""

from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from benchmarks.peers import place
from benchmarks.work import work_in_thread

broker = RabbitmqBroker(url=place.amqp_url(), confirm_delivery=True)
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=place.queue_name("dramatiq"))
def job(payload: dict[str, Any]) -> None:
    work_in_thread(payload["i"])


class Producer:
    """Each thread has a channel of its own, by Dramatiq's doing."""

    def open(self, *, in_flight: int) -> None:
        """Connect at the first submission, as Dramatiq does."""

    def submit(self, payload: dict[str, Any]) -> None:
        job.send(payload)

    def close(self) -> None:
        broker.close()
