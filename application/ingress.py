"""All bindings of a worker: what foreign producers publish becomes jobs."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

from jobmill.application.ingress_binding import IngressBinding
from jobmill.application.ingress_reader import STOP_WITHIN_S, IngressReader
from jobmill.application.ingress_taker import IngressTaker
from jobmill.application.ports.ingress import Ingress
from jobmill.application.ports.observer import Observer


class IngressReaders:
    """Runs a reader for each binding. Several workers may read the same queues.

    ``tally`` counts, under (binding, what): accepted, replayed, quarantined, possible double.
    """

    def __init__(
        self,
        *,
        bindings: Sequence[IngressBinding],
        ingress: Ingress,
        taker: IngressTaker,
        observer: Observer,
    ) -> None:
        self.tally: Final[Counter[tuple[str, str]]] = Counter()
        self._readers: Final = [
            IngressReader(each, ingress=ingress, taker=taker, observer=observer, tally=self.tally)
            for each in bindings
        ]
        self._running: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Read until told to stop."""
        self._running = [asyncio.create_task(each.run()) for each in self._readers]
        try:
            await asyncio.gather(*self._running)
        finally:
            for task in self._running:
                task.cancel()

    async def stop(self) -> None:
        """Take no more, and bring what was taken to its end, within a bounded time."""
        for each in self._readers:
            each.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=2 * STOP_WITHIN_S)
