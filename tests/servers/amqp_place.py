"""A test's own place on a RabbitMQ server that others use too: a prefix, cleared away at the end.

A virtual host would be a fence instead of a habit, but making one needs rights on the server's machine, and
the server a developer has running seldom gives them.
"""

import secrets
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import aiormq
from attrs import field, frozen

PREFIX = "jobmill-test-"
RUNGS_S = [2**power for power in range(13)]
PRIORITIES = ("high", "normal", "low")


@frozen(kw_only=True)
class AmqpPlace:
    """Where one test may declare what it likes, as long as the names begin with ``prefix``.

    Jobmill's own topology under the prefix is cleared away by itself, for the job queues and shares that
    ``uses`` was told of (``default`` needs no telling); anything else must be given to ``delete_later``.
    """

    url: str
    prefix: str = field(factory=lambda: PREFIX + secrets.token_hex(5))
    _job_queues: dict[str, int] = field(factory=lambda: {"default": 1})
    _queues: set[str] = field(factory=set)
    _exchanges: set[str] = field(factory=set)

    def uses(self, *job_queues: str, shares: int = 1) -> None:
        """Name the job queues (``email``, not ``<prefix>.email.high``) whose broker queues a test makes."""
        self._job_queues.update({queue: max(shares, self._job_queues.get(queue, 1)) for queue in job_queues})

    def delete_later(self, *, queues: Iterable[str] = (), exchanges: Iterable[str] = ()) -> None:
        """Name what else is to be deleted at the end, in full; what does not exist then is no fault."""
        self._queues.update(queues)
        self._exchanges.update(exchanges)

    async def purge(self, queue: str) -> None:
        """Throw away what is ready in a queue, as somebody in the management page does."""
        connection = await aiormq.connect(self.url)
        try:
            channel = await connection.channel()
            await channel.queue_purge(queue)
        finally:
            await connection.close()

    async def clear(self) -> None:
        """Delete all that this test may have declared."""
        connection = await aiormq.connect(self.url)
        try:
            channel = await connection.channel()
            for queue in sorted(self._queues | self._queues_of_jobmill()):
                await channel.queue_delete(queue)
            for exchange in sorted(self._exchanges | self._exchanges_of_jobmill()):
                await channel.exchange_delete(exchange)
        finally:
            await connection.close()

    def _queues_of_jobmill(self) -> set[str]:
        kinds = (*PRIORITIES, "dead")
        mine = {f"{self.prefix}.{queue}.{kind}" for queue in self._job_queues for kind in kinds}
        mine |= {
            f"{self.prefix}.{queue}.{priority}.{share}"
            for queue, shares in self._job_queues.items()
            for priority in PRIORITIES
            for share in range(1, shares)
        }
        retry = {f"{self.prefix}.retry.{rung}" for rung in RUNGS_S}
        return mine | retry | {f"{self.prefix}.ingress", f"{self.prefix}.epoch"}

    def _exchanges_of_jobmill(self) -> set[str]:
        retry = {f"{self.prefix}.retry.{rung}" for rung in RUNGS_S}
        return retry | {self.prefix, *(f"{self.prefix}.{name}" for name in ("dead", "ingress", "events"))}


@asynccontextmanager
async def amqp_place(url: str) -> AsyncGenerator[AmqpPlace]:
    """A place on the server at ``url``, cleared at the end."""
    place = AmqpPlace(url=url)
    try:
        yield place
    finally:
        await place.clear()
