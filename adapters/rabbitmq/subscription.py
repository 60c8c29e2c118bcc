"""Receiving from one queue for as long as somebody wants to, across lost connections."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Never

from aiormq import Connection

from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.intake import Inbox, Intake
from jobmill.adapters.rabbitmq.link import Link
from jobmill.application.errors import BrokerUnavailable
from jobmill.application.ports.ingress import IngressMessage

log = logging.getLogger(__name__)

#: A queue may be missing until the topology is applied again; it is asked for this often at least.
ASK_AGAIN_S: Final = 5.0


class Subscription(AsyncIterator[IngressMessage]):
    """The deliveries of one queue; ends when it is ended, and not before.

    Args:
        adopt: told of every intake, to run it until its last delivery is answered.
        prepare: done before each start; may raise ``BrokerUnavailable``.
    """

    def __init__(
        self,
        link: Link,
        queue: str,
        *,
        prefetch: int,
        bounds: Bounds,
        fraction: Callable[[], float],
        adopt: Callable[[Intake], None],
        prepare: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        self._link = link
        self.queue: Final = queue
        self._prefetch = prefetch
        self._bounds = bounds
        self._fraction = fraction
        self._adopt = adopt
        self._prepare = prepare
        self._inbox: Inbox = asyncio.Queue(maxsize=prefetch)
        self._intake: Intake | None = None

    @property
    def intake(self) -> Intake | None:
        """What receives at this moment, or did last."""
        return self._intake

    async def __anext__(self) -> IngressMessage:
        """Wait for the next delivery; a caller that is cancelled takes none."""
        delivery = await self._inbox.get()
        if delivery is None:
            self._inbox.put_nowait(None)
            raise StopAsyncIteration
        return delivery

    async def keep(self) -> Never:
        """Keep a consumer until this call is cancelled."""
        failures = 0
        while True:
            connection = await self._link.up()
            self._intake = Intake(self.queue, prefetch=self._prefetch, inbox=self._inbox, bounds=self._bounds)
            self._adopt(self._intake)
            try:
                if self._prepare is not None:
                    await self._prepare(connection)
                await self._intake.start(connection)
            except BrokerUnavailable as error:
                failures += 1
                if failures == 1:
                    log.warning("cannot consume %s yet, trying again: %s", self.queue, error)
                await self._intake.close()
            else:
                failures = 0
                await asyncio.wait({self._intake.ended})
                await self._intake.retire()
            await asyncio.sleep(min(ASK_AGAIN_S, self._bounds.pause_s(failures + 1, self._fraction())))

    async def end(self) -> None:
        """Give back what nobody took."""
        if self._intake is not None:
            await self._intake.retire()
        self._inbox.put_nowait(None)
