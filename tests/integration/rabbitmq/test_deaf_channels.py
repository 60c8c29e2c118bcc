"""A channel at its end: it makes its connection neither deaf nor lost."""

import asyncio
from typing import Any, cast

import aiormq
import pytest
from attrs import field, frozen

from jobmill.adapters.rabbitmq import RabbitBus
from jobmill.adapters.rabbitmq.addresses import parse_addresses
from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.deadlines import bounded, patient
from jobmill.adapters.rabbitmq.dialing import dial, hang_up
from jobmill.adapters.rabbitmq.intake import Intake
from jobmill.application.errors import BrokerUnavailable

from tests.integration.rabbitmq.words import LANE, parcel
from tests.servers.amqp_place import AmqpPlace

PREFETCH = 50


async def test_a_channel_that_reads_no_more_keeps_its_connection_from_nothing(
    bus: RabbitBus, applied: AmqpPlace
) -> None:
    await bus.publish([parcel(b"x" * 1_000) for _ in range(PREFETCH)])
    [address] = parse_addresses([applied.url])
    connection = await dial(address, role="test", bounds=Bounds())
    queue, inbox = f"{applied.prefix}.{LANE}", asyncio.Queue[Any](PREFETCH)
    intake = Intake(queue, prefetch=PREFETCH, inbox=inbox, bounds=Bounds())
    try:
        channel: Any = await connection.channel(publisher_confirms=False)
        await intake.start(cast("aiormq.Connection", Stuck(connection)))

        await asyncio.wait_for(channel.basic_qos(prefetch_count=1), timeout=5)
    finally:
        await hang_up(connection, within_s=1)


@frozen
class Stuck:
    """A connection whose channels do not get past their first delivery."""

    connection: aiormq.Connection

    async def channel(self, **options: Any) -> aiormq.abc.AbstractChannel:
        channel = await self.connection.channel(**options)
        channel._on_deliver_frame = self._for_ever  # type: ignore[attr-defined]
        return channel

    async def _for_ever(self, _frame: object) -> None:
        await asyncio.Event().wait()


async def test_an_intake_lets_its_goodbye_end_by_itself(applied: AmqpPlace) -> None:
    [address] = parse_addresses([applied.url])
    connection = await dial(address, role="test", bounds=Bounds())
    slow = Slow(connection)
    inbox = asyncio.Queue[Any](PREFETCH)
    intake = Intake(f"{applied.prefix}.{LANE}", prefetch=PREFETCH, inbox=inbox, bounds=Bounds(close_s=0.01))
    try:
        await intake.start(cast("aiormq.Connection", slow))
        await intake.close()  # gives up waiting, since nobody answers yet
        slow.gate.set()

        assert await asyncio.wait_for(slow.goodbyes.get(), timeout=5) == "left to itself"
        assert not connection.is_closed
    finally:
        await hang_up(connection, within_s=1)


@frozen
class Slow:
    """A connection whose channels take their time to close, until the gate opens."""

    connection: aiormq.Connection
    gate: asyncio.Event = field(factory=asyncio.Event)
    goodbyes: asyncio.Queue[str] = field(factory=asyncio.Queue)

    async def channel(self, **options: Any) -> aiormq.abc.AbstractChannel:
        channel = await self.connection.channel(**options)
        close = channel.close

        async def slowly(*_: object, **__: object) -> None:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.goodbyes.put_nowait("cut off")
                raise
            self.goodbyes.put_nowait("left to itself")
            await close()

        channel.close = slowly  # type: ignore[method-assign]
        return channel


async def test_a_goodbye_that_takes_long_is_left_to_end_by_itself() -> None:
    said: list[str] = []
    gate = asyncio.Event()

    async def goodbye() -> None:
        try:
            await gate.wait()
            said.append("once")
        except asyncio.CancelledError:
            said.append("again")
            raise

    with pytest.raises(BrokerUnavailable, match="did not close within"):
        await patient(goodbye(), within_s=0.01, what="close")
    gate.set()
    await asyncio.sleep(0)

    assert said == ["once"]


async def test_any_other_call_is_cancelled_when_its_time_is_over() -> None:
    ended = asyncio.Event()

    async def call() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(BrokerUnavailable, match="did not answer within"):
        await bounded(call(), within_s=0.01, what="answer")

    await asyncio.wait_for(ended.wait(), timeout=5)
