"""Log-ins that go wrong half way: the link tries on for as long as the process lives."""

import random

import pytest
from aiormq import Connection

from jobmill.adapters.rabbitmq import Bounds, dialing, link, open_rabbit_bus
from jobmill.adapters.rabbitmq.addresses import Address, parse_addresses
from jobmill.application.errors import BrokerUnavailable

from tests.integration.rabbitmq.words import is_seen
from tests.servers.amqp_place import AmqpPlace

BOUNDS = Bounds(connect_s=1.0, publish_s=1.0, answer_s=1.0, reconnect_max_s=0.2, close_s=0.5)


async def test_a_broker_that_hangs_up_between_two_words_of_the_log_in_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang_up(_: Connection) -> None:
        raise StopAsyncIteration  # as the library does where the stream has ended between two frames

    monkeypatch.setattr(dialing.SturdyConnection, "connect", hang_up)
    [address] = parse_addresses(["amqp://guest:guest@127.0.0.1/"])

    with pytest.raises(BrokerUnavailable, match="did not let us in"):
        await dialing.dial(address, role="test", bounds=BOUNDS)


async def test_an_error_that_nobody_thought_of_does_not_end_the_connecting(
    applied: AmqpPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = iter([KeyError("surprise"), LookupError("another")])
    honest = dialing.dial

    async def dial(address: Address, *, role: str, bounds: Bounds) -> Connection:
        for error in errors:
            raise error
        return await honest(address, role=role, bounds=bounds)

    monkeypatch.setattr(link, "dial", dial)
    async with open_rabbit_bus(
        [applied.url], prefix=applied.prefix, queues=["default"], fraction=random.random, bounds=BOUNDS
    ) as bus:
        assert await is_seen(lambda: bus.is_up)
