"""Celery on RabbitMQ: late acknowledgement, persistent messages, confirms."""

from typing import Any

from celery import Celery

from benchmarks.peers import place
from benchmarks.work import work_in_thread

options = place.options()
app = Celery("bench", broker=place.amqp_url())
app.conf.update(
    broker_transport_options={"confirm_publish": True},
    broker_pool_limit=32,
    broker_connection_retry_on_startup=True,
    task_default_queue=place.queue_name("celery"),
    task_default_delivery_mode="persistent",
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=options.get("prefetch", 4),
)


@app.task(name="job")
def job(payload: dict[str, Any]) -> None:
    work_in_thread(payload["i"])


class Producer:
    """Each thread takes a connection of Celery's pool."""

    def open(self, *, in_flight: int) -> None:
        """Connect at the first submission, as Celery does."""

    def submit(self, payload: dict[str, Any]) -> None:
        job.apply_async((payload,))

    def close(self) -> None:
        app.close()
