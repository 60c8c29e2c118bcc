"""The bus over RabbitMQ."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Final

from aiormq import Connection

from jobmill.adapters.rabbitmq.addresses import Address
from jobmill.adapters.rabbitmq.bounds import PREFETCH_MAX, Bounds
from jobmill.adapters.rabbitmq.dead_queues import DeadQueues
from jobmill.adapters.rabbitmq.deadlines import bounded
from jobmill.adapters.rabbitmq.foreign_queues import make_if_missing
from jobmill.adapters.rabbitmq.intake import Intake
from jobmill.adapters.rabbitmq.letters import Writer
from jobmill.adapters.rabbitmq.link import Link
from jobmill.adapters.rabbitmq.marker import Marker
from jobmill.adapters.rabbitmq.names import Names
from jobmill.adapters.rabbitmq.publisher import Publisher
from jobmill.adapters.rabbitmq.questions import asking
from jobmill.adapters.rabbitmq.subscription import Subscription
from jobmill.adapters.rabbitmq.watchdog import Watchdog
from jobmill.application.errors import BrokerUnavailable, SetupFault
from jobmill.application.ports.dead_copies import DeadCopies, Judge
from jobmill.application.ports.ingress import Ingress, IngressMessage
from jobmill.application.ports.message_bus import Lane, MessageBus, Parcel, PublishOutcome

log = logging.getLogger(__name__)


class RabbitBus(MessageBus, DeadCopies, Ingress):
    """Two connections: a broker short of memory stops reading those that publish, and answers must go on.

    Questions are asked on the consuming one for the same reason. Open it with ``open_rabbit_bus``.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        *,
        prefix: str,
        bounds: Bounds,
        fraction: Callable[[], float],
    ) -> None:
        self._names: Final = Names(prefix=prefix)
        self._bounds: Final = bounds
        self._fraction: Final = fraction
        self.publishing: Final = Link(addresses, role="publish", bounds=bounds, fraction=fraction)
        self.consuming: Final = Link(addresses, role="consume", bounds=bounds, fraction=fraction)
        self._writer: Final = Writer(self._names, token=f"{int(fraction() * 2**48):x}")
        self._publisher: Final = Publisher(self.publishing, bounds)
        self._marker: Final = Marker(
            link=self.consuming,
            publisher=self._publisher,
            writer=self._writer,
            queue=self._names.epoch,
            bounds=bounds,
        )
        self.watchdog: Final = Watchdog(self.consuming, bounds)
        self._dead_queues: Final = DeadQueues(
            link=self.consuming,
            publisher=self._publisher,
            writer=self._writer,
            names=self._names,
            bounds=bounds,
        )
        self._intakes: Final[set[Intake]] = set()
        self._tasks: Final[set[asyncio.Task[object]]] = set()
        self.topology_fault: SetupFault | None = None

    @property
    def is_up(self) -> bool:
        """Both connections are open."""
        return self.publishing.connection is not None and self.consuming.connection is not None

    @property
    def fault(self) -> SetupFault | None:
        """What a person has to mend: login, virtual host or topology. It goes when it is mended."""
        return self.publishing.fault or self.consuming.fault or self.topology_fault

    async def publish(self, parcels: Sequence[Parcel]) -> Sequence[PublishOutcome]:
        """Send parcels; refused at once while the connection is down. Above 1 MiB a parcel is refused, too.

        Raises:
            ValueError: a delay is beyond the ladder; nothing was sent.
        """
        return await self._publisher.publish([self._writer.message(parcel) for parcel in parcels])

    def consume(
        self, lane: Lane, *, prefetch: int
    ) -> AbstractAsyncContextManager[AsyncIterator[IngressMessage]]:
        return self._receiving(self._names.lane_queue(lane), prefetch)

    def receive(
        self, queue: str, *, prefetch: int
    ) -> AbstractAsyncContextManager[AsyncIterator[IngressMessage]]:
        if self._names.is_ours(queue):
            return self._receiving(queue, prefetch)
        return self._receiving(queue, prefetch, partial(make_if_missing, queue=queue, bounds=self._bounds))

    @asynccontextmanager
    async def _receiving(
        self, queue: str, prefetch: int, prepare: Callable[[Connection], Awaitable[None]] | None = None
    ) -> AsyncGenerator[AsyncIterator[IngressMessage]]:
        if prefetch < 1:
            raise ValueError(f"prefetch must be 1 or more, not {prefetch}")
        subscription = Subscription(
            self.consuming,
            queue,
            prefetch=min(prefetch, PREFETCH_MAX),
            bounds=self._bounds,
            fraction=self._fraction,
            adopt=self._adopt,
            prepare=prepare,
        )
        keeper = self._spawn(subscription.keep())
        try:
            with self.watchdog.watching(subscription):
                yield subscription
        finally:
            # Even a caller that is cancelled twice leaves no consumer behind.
            await asyncio.shield(self._spawn(_end(keeper, subscription)))

    async def depths(self, lanes: Sequence[Lane]) -> Mapping[Lane, int | None]:
        connection = self.consuming.connection
        if connection is None:
            raise BrokerUnavailable("there is no connection to RabbitMQ at this moment")
        look = self._depths(connection, lanes)
        return await bounded(look, within_s=self._bounds.answer_s, what="say how long its queues are")

    async def epoch(self) -> str | None:
        return await self._marker.read()

    async def mark_epoch(self, epoch: str) -> None:
        await self._marker.write(epoch)

    async def count_copies(self, queues: Sequence[str]) -> Mapping[str, int | None]:
        return await self._dead_queues.count(queues)

    async def sift(self, queue: str, *, limit: int, judge: Judge) -> int:
        return await self._dead_queues.sift(queue, limit=limit, judge=judge)

    async def close(self) -> None:
        """Send the answers that were given, then close the channels."""
        await asyncio.gather(*(intake.close() for intake in list(self._intakes)))
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def keep(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something in the background for as long as the bus is open."""
        _ = self._spawn(work)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> "asyncio.Task[object]":
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _adopt(self, intake: Intake) -> None:
        self._intakes.add(intake)
        self._spawn(intake.run()).add_done_callback(lambda _: self._intakes.discard(intake))

    def _finished(self, task: "asyncio.Task[object]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("a part of the RabbitMQ bus has failed", exc_info=error)

    async def _depths(self, connection: Connection, lanes: Sequence[Lane]) -> dict[Lane, int | None]:
        async with asking(connection) as questions:
            try:
                return {lane: await questions.ready(self._names.lane_queue(lane)) for lane in lanes}
            except SetupFault as fault:
                raise BrokerUnavailable(str(fault)) from fault


async def _end(keeper: "asyncio.Task[object]", subscription: Subscription) -> None:
    keeper.cancel()
    await asyncio.wait({keeper})
    await subscription.end()
