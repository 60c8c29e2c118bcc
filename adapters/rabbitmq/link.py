"""One connection that is kept up."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Never

from aiormq import Connection

from jobmill.adapters.rabbitmq.addresses import Address
from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.dialing import dial, hang_up
from jobmill.application.errors import BrokerUnavailable, SetupFault

log = logging.getLogger(__name__)


class Link:
    """Connects, notices the end, and connects again; the addresses take turns.

    Args:
        role: what the connection is for.
        fraction: chance, uniform in [0, 1).
    """

    def __init__(
        self, addresses: Sequence[Address], *, role: str, bounds: Bounds, fraction: Callable[[], float]
    ) -> None:
        self._addresses = addresses
        self._role = role
        self._bounds = bounds
        self._fraction = fraction
        self._connection: Connection | None = None
        self._is_up = asyncio.Event()
        self._has_complained = False
        self.tried = asyncio.Event()
        self.fault: SetupFault | None = None

    @property
    def connection(self) -> Connection | None:
        """The connection if it is open at this moment."""
        if self._connection is not None and self._connection.is_opened:
            return self._connection
        return None

    async def up(self) -> Connection:
        """Wait for a connection; it may be lost again by the time it is used."""
        while self._connection is None:
            await self._is_up.wait()
        return self._connection

    async def keep(self) -> Never:
        """Keep the connection up until this call is cancelled, which closes it."""
        loop = asyncio.get_running_loop()
        failures = 0
        for turn, address in enumerate(cycle(self._addresses), start=1):
            began = loop.time()
            reason = await self._serve(address)
            # One that held for long starts a new count; one that is lost at once over and over does not.
            if loop.time() - began >= self._bounds.reconnect_max_s:
                failures = 0
            self._complain(reason)
            if turn % len(self._addresses) == 0:
                self.tried.set()
                failures += 1
                await asyncio.sleep(self._bounds.pause_s(failures, self._fraction()))
        raise AssertionError("a cycle does not end")

    async def _serve(self, address: Address) -> str:
        """Connect and stay until the connection is lost; return why it is not there."""
        try:
            connection = await dial(address, role=self._role, bounds=self._bounds)
        except SetupFault as fault:
            self.fault = fault
            return str(fault)
        except BrokerUnavailable as error:
            return f"{address}: {error}"
        except Exception as error:
            # Nobody else would ever connect again, whatever the library came up with.
            log.exception("connecting to RabbitMQ (%s) failed by a fault of ours", self._role)
            return f"{address}: {error!r}"
        try:
            self._arrive(connection, address)
            await asyncio.wait({connection.closing})
            return f"the connection to {address} was lost"
        finally:
            self._is_up.clear()
            self._connection = None
            await hang_up(connection, within_s=self._bounds.close_s)

    def _arrive(self, connection: Connection, address: Address) -> None:
        self._connection = connection
        self.fault = None
        self._is_up.set()
        self.tried.set()
        if self._has_complained:
            log.warning("RabbitMQ is back (%s): %s", self._role, address)
            self._has_complained = False

    def _complain(self, reason: str) -> None:
        """Once per outage."""
        if not self._has_complained:
            log.warning("RabbitMQ is away (%s), trying again: %s", self._role, reason)
            self._has_complained = True
