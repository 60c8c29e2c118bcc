"""Publishing soon what was stored by somebody without a way to the bus."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from attrs import define, field

from jobmill.application.errors import SetupFault, StorageRefused, Unavailable
from jobmill.application.ports.observer import Observer
from jobmill.application.relay import Relay

#: What a client's job waits for at most before it is on its way; one look is one small index.
LOOK_EVERY_S: Final = 0.5
_NOW: Final = timedelta(0)


@define(kw_only=True)
class Forwarder:
    """Forwards unattended notices while this process leads.

    The writers are clients on the database alone. Nobody is on the fast path of their rows, so there is no
    reason to let those grow old, as the sweep does with all others.

    Args:
        leads: says whether this process leads.
    """

    relay: Relay
    leads: Callable[[], bool]
    observer: Observer
    _complaint: str = field(default="", init=False)

    async def run(self) -> None:
        """Look every half second, until cancelled; at once again where there was something."""
        while True:
            if not (self.leads() and await self.step()):
                await asyncio.sleep(LOOK_EVERY_S)

    async def step(self) -> int:
        """Publish a page of unattended notices; return how many were confirmed."""
        try:
            count = await self.relay.sweep(older_than=_NOW, unattended=True)
        except (Unavailable, StorageRefused, SetupFault) as error:
            if str(error) != self._complaint:
                self.observer.noted("clients' jobs wait for the next look", reason=str(error))
            self._complaint = str(error)
            return 0
        self._complaint = ""
        return count
