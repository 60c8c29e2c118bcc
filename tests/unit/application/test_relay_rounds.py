"""Rounds of the relay overlap: none waits for another's confirm, or for rows to be forgotten."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from jobmill.application.ports.message_bus import Parcel
from jobmill.application.ports.outbox import Notice
from jobmill.application.relay import OFFERED_MAX, ROUNDS_MAX
from jobmill.domain.states import Target

from tests.nodes import Node
from tests.unit.application.relaying import offered, rows
from tests.world import World

NOW = timedelta(0)


@pytest.fixture
async def node(world: World) -> Node:
    """A process whose relay alone is at work; the client does not relay, so that rows stay."""
    node = world.node(starts=False)
    node.relaying = asyncio.create_task(node.relay.run())  # type: ignore[attr-defined]
    world.client.bus.disconnect()
    return node


def hold_up_forgetting(node: Node) -> asyncio.Event:
    """Let no row be forgotten until the event is set."""
    gate = asyncio.Event()

    async def open_gate() -> None:
        await gate.wait()

    def trouble(moment: str) -> Awaitable[None] | None:
        return open_gate() if moment == "before outbox.forget" else None

    node.cable.trouble = trouble
    return gate


class Waiting:
    """A bus that confirms nothing until it is let go."""

    is_up = True

    def __init__(self, node: Node) -> None:
        self.publish_now = node.bus.publish
        self.gate = asyncio.Event()
        self.rounds = 0

    async def publish(self, parcels: list[Parcel]) -> object:
        self.rounds += 1
        await self.gate.wait()
        return await self.publish_now(parcels)


async def test_a_round_waits_for_no_other_and_so_many_are_under_way(world: World, node: Node) -> None:
    bus = Waiting(node)
    node.relay._bus = bus  # type: ignore[assignment]
    for _ in range(ROUNDS_MAX + 3):
        await offered(world, node)
        await world.turns()
    assert bus.rounds == ROUNDS_MAX

    bus.gate.set()
    await node.relay.drained(within_s=1)

    assert bus.rounds == ROUNDS_MAX + 1  # what came meanwhile went together
    assert world.tables.outbox == {}


async def test_a_round_does_not_wait_for_the_rows_of_another_to_be_forgotten(
    world: World, node: Node
) -> None:
    gate = hold_up_forgetting(node)
    for _ in range(3):
        await offered(world, node)
        await world.turns()
    assert world.ready == 3
    assert len(world.tables.outbox) == 3
    assert await node.relay.sweep(older_than=NOW) == 0  # they are looked after

    gate.set()
    await node.relay.drained(within_s=1)

    assert world.tables.outbox == {}


async def test_drained_waits_for_the_rows_to_be_forgotten_and_has_its_bound(world: World, node: Node) -> None:
    hold_up_forgetting(node)
    await offered(world, node)

    await node.relay.drained(within_s=5)

    assert asyncio.get_running_loop().time() == 5


async def test_the_fast_path_is_bounded_by_what_is_not_yet_forgotten(world: World, node: Node) -> None:
    bus = Waiting(node)
    node.relay._bus = bus  # type: ignore[assignment]
    job = await world.submit()
    node.relay.offer([Notice(row=row, job=job, target=Target.QUEUE) for row in range(OFFERED_MAX)])
    await world.turns()

    node.relay.offer([Notice(row=job.stamp, job=job, target=Target.QUEUE)])
    bus.gate.set()
    await node.relay.drained(within_s=60)

    assert rows(world) == [job]
