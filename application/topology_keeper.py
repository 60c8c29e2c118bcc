"""Making again what somebody deleted in a running broker."""

import asyncio
from typing import Final

from jobmill.application.errors import BrokerUnavailable, SetupFault
from jobmill.application.ports.message_bus import MessageBus
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.topology import Topology
from jobmill.application.relay import Relay

#: A look asks the broker some dozens of short questions.
LOOK_EVERY_S: Final = 10.0


class TopologyKeeper:
    """Looks now and then whether every queue and exchange stands, and creates what is missing.

    The notices that a deleted queue held are not its business: the reconciler finds them missing.

    Args:
        topology: None where the bus needs none; then there is nothing to do.
    """

    def __init__(
        self, *, topology: Topology | None, bus: MessageBus, relay: Relay, observer: Observer
    ) -> None:
        self._topology = topology
        self._bus = bus
        self._relay = relay
        self._observer = observer
        self._next_look_s = 0.0
        self._complaint = ""

    async def step(self) -> None:
        """Look, if it is time again. What only a person can mend is said once and keeps nobody from work."""
        now_s = asyncio.get_running_loop().time()
        if self._topology is None or not self._bus.is_up or now_s < self._next_look_s:
            return
        self._next_look_s = now_s + LOOK_EVERY_S
        try:
            await self._mend(self._topology)
        except (BrokerUnavailable, SetupFault) as error:
            if str(error) != self._complaint:
                self._observer.noted("queues cannot be looked after", reason=str(error))
            self._complaint = str(error)
        else:
            self._complaint = ""

    async def _mend(self, topology: Topology) -> None:
        """A binding cannot be looked at. That one is missing shows in parcels that find no way."""
        missing = await topology.missing()
        refusing = sorted(self._relay.refusing_queues)
        if missing or refusing:
            self._observer.noted("broker lacks queues, creating them", missing=missing, refusing=refusing)
            await topology.apply()
