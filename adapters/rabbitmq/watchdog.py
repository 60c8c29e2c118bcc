"""Connected is not consuming: noticing a consumer that the broker has forgotten."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Never

from aiormq import Connection
from attrs import frozen

from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.deadlines import bounded
from jobmill.adapters.rabbitmq.intake import Intake
from jobmill.adapters.rabbitmq.link import Link
from jobmill.adapters.rabbitmq.questions import asking
from jobmill.adapters.rabbitmq.subscription import Subscription
from jobmill.application.errors import BrokerUnavailable, SetupFault

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class _Suspicion:
    """A consumer that could have received, beside messages that were ready, and what it had received then."""

    intake: Intake
    received: int


class Watchdog:
    """Replaces a consumer that stays empty beside a queue that is not.

    A broker sends what is ready to whoever has room for it. So a consumer with room that received nothing
    from one look to the next, with messages ready at both, is one in our books alone: a queue that was
    deleted and made again can leave that behind. To replace a healthy one would do no harm either.
    """

    def __init__(self, link: Link, bounds: Bounds) -> None:
        self._link: Final = link
        self._bounds: Final = bounds
        self._watched: Final[set[Subscription]] = set()
        self._suspicions: dict[Subscription, _Suspicion] = {}

    @contextmanager
    def watching(self, subscription: Subscription) -> Iterator[None]:
        """Watch a subscription while the block lasts."""
        self._watched.add(subscription)
        try:
            yield
        finally:
            self._watched.discard(subscription)

    async def keep(self) -> Never:
        """Look again and again until this call is cancelled."""
        while True:
            await asyncio.sleep(self._bounds.watch_s)
            connection = self._link.connection
            if connection is None or not self._watched:
                continue
            try:
                look = self._look(connection)
                await bounded(look, within_s=self._bounds.answer_s, what="say how long its queues are")
            except (BrokerUnavailable, SetupFault):
                self._suspicions = {}  # others find out what is wrong there

    async def _look(self, connection: Connection) -> None:
        seen: dict[Subscription, _Suspicion] = {}
        async with asking(connection) as questions:
            for subscription in list(self._watched):
                intake = subscription.intake
                if intake is None or not intake.could_receive:
                    continue
                suspicion = _Suspicion(intake=intake, received=intake.received)
                if await questions.ready(subscription.queue):
                    seen[subscription] = suspicion
        confirmed = [each for each, what in seen.items() if self._suspicions.get(each) == what]
        self._suspicions = {each: what for each, what in seen.items() if each not in confirmed}
        for subscription in confirmed:
            log.warning("the consumer of %s receives nothing, starting a new one", subscription.queue)
            await seen[subscription].intake.give_up()
