"""Queues of foreign producers: left as they are, and made as they would make them where they are missing."""

from aiormq import Connection

from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.deadlines import bounded
from jobmill.adapters.rabbitmq.questions import asking
from jobmill.application.errors import BrokerUnavailable, SetupFault


async def make_if_missing(connection: Connection, *, queue: str, bounds: Bounds) -> None:
    """Make a durable queue without any arguments if there is none of this name.

    With arguments the producers' own declaration, which has none, may be refused.

    Raises:
        BrokerUnavailable: there is none, and none could be made; or there was no answer.
    """
    try:
        await bounded(_look(connection, queue), within_s=bounds.answer_s, what=f"look up the queue {queue}")
    except SetupFault as fault:
        raise BrokerUnavailable(
            f"{fault}; make the queue {queue} by hand, or give the user that right"
        ) from fault


async def _look(connection: Connection, queue: str) -> None:
    async with asking(connection) as questions:
        if await questions.ready(queue) is None:
            # A clash is as well: somebody else has made it since the look, as he wants it.
            await questions.declare_queue(queue, {})
