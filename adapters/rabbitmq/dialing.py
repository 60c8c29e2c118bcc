"""Making one connection, and telling a broker that is away from one that will never let us in."""

import asyncio
from typing import Final

from aiormq import Connection
from aiormq.connection import FrameReceiver
from aiormq.exceptions import (
    AMQPConnectionError,
    AuthenticationError,
    InvalidFrameError,
    ProbableAuthenticationError,
)

from jobmill.adapters.rabbitmq.addresses import Address
from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.deadlines import bounded, in_background
from jobmill.adapters.rabbitmq.frames import TolerantReceiver
from jobmill.application.errors import BrokerUnavailable, SetupFault

CLOSED_BY_US: Final = "closed by Jobmill"


class SturdyConnection(Connection):
    """A connection on which the library never lacks room for what it must say itself, and reads all there is.

    When the broker closes a channel the library has to agree, and where its queue is full it leaves that out.
    The next channel then gets the same number, and the broker closes the whole connection over it.
    """

    FRAME_BUFFER_SIZE = 1_000

    async def _Connection__reader(self, frame_receiver: FrameReceiver) -> None:  # noqa: N802 - the library's
        """Read until the connection ends; see ``TolerantReceiver``."""
        await super()._Connection__reader(TolerantReceiver(frame_receiver.reader))  # type: ignore[misc]


async def dial(address: Address, *, role: str, bounds: Bounds) -> Connection:
    """Connect and log in.

    Args:
        role: what the connection is for; the broker shows it to its operator.

    Raises:
        BrokerUnavailable: nobody answers there, or not in time.
        SetupFault: the broker answers and refuses user, password or virtual host.
    """
    connection = SturdyConnection(
        address.with_heartbeat(bounds.heartbeat_s),
        context=address.tls,
        client_properties={"product": "jobmill", "connection_name": f"jobmill {role}"},
    )
    try:
        await bounded(_log_in(connection, address), within_s=bounds.connect_s, what="let us in")
    except asyncio.CancelledError:
        # It may have succeeded in the same moment, and nobody would ever close it.
        in_background(hang_up(connection, within_s=bounds.close_s))
        raise
    return connection


async def hang_up(connection: Connection, *, within_s: float) -> None:
    """Say goodbye, for at most so long."""
    # Without an error of ours, the library would end the calls in flight as if their callers were cancelled.
    goodbye = connection.close(AMQPConnectionError(CLOSED_BY_US))
    try:
        await bounded(goodbye, within_s=within_s, what="say goodbye")
    except BrokerUnavailable:
        pass  # it is gone already, or will find out by itself


async def _log_in(connection: Connection, address: Address) -> None:
    try:
        await connection.connect()
    except (ProbableAuthenticationError, AuthenticationError) as error:
        raise SetupFault(f"RabbitMQ at {address} refuses the user or the password: {error}") from error
    except InvalidFrameError as error:
        if "Connection.OpenOk" not in str(error):
            raise
        # The library expects OpenOk here and says of a refusal only that it is something else.
        raise SetupFault(
            f"RabbitMQ at {address} does not open the virtual host: "
            "it does not exist, or the user has no rights on it"
        ) from error
