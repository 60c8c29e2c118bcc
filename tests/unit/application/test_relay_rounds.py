"""Rounds of the relay: what comes while one is out goes together into the next; rows are forgotten behind."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from jobmill.application.parcels import PARCEL_JOBS_MAX
from jobmill.application.ports.message_bus import Parcel
from jobmill.application.ports.outbox import Notice
from jobmill.application.relay import FORGET_AFTER_S, FORGET_AT_ONCE, OFFERED_MAX, ROUND_MAX, SLOW_AFTER_S
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


def forgettings(node: Node) -> list[str]:
    """Return the list to which each statement that forgets rows is added."""
    seen: list[str] = []

    def trouble(moment: str) -> None:
        if moment == "before outbox.forget":
            seen.append(moment)

    node.cable.trouble = trouble
    return seen


class Waiting:
    """A bus that confirms nothing until it is let go, of one queue or of all."""

    is_up = True

    def __init__(self, node: Node, *, queue: str | None = None) -> None:
        self.publish_now = node.bus.publish
        self.queue = queue
        self.gate = asyncio.Event()
        self.rounds = 0

    async def publish(self, parcels: list[Parcel]) -> object:
        self.rounds += 1
        if self.queue is None or any(parcel.headers["queue"] == self.queue for parcel in parcels):
            await self.gate.wait()
        return await self.publish_now(parcels)


async def test_what_is_offered_while_a_round_is_out_goes_together_into_the_next(
    world: World, node: Node
) -> None:
    bus = Waiting(node)
    node.relay._bus = bus  # type: ignore[assignment]
    for _ in range(4):
        await offered(world, node)
        await world.turns()
    assert bus.rounds == 1

    bus.gate.set()
    await node.relay.drained(within_s=1)

    assert bus.rounds == 2
    assert world.tables.outbox == {}


async def test_a_queue_that_is_slow_to_confirm_holds_up_no_other(world: World, node: Node) -> None:
    bus = Waiting(node, queue="other")
    node.relay._bus = bus  # type: ignore[assignment]
    slow = await offered(world, node, type="other")
    await offered(world, node)
    await world.turns()
    assert world.ready == 1

    await offered(world, node)
    await world.turns()

    assert world.ready == 2
    await asyncio.sleep(2 * FORGET_AFTER_S)
    assert rows(world) == [slow]


async def test_what_comes_for_a_slow_queue_is_left_to_the_sweep_after_it(world: World, node: Node) -> None:
    bus = Waiting(node, queue="other")
    node.relay._bus = bus  # type: ignore[assignment]
    first = await offered(world, node, type="other")
    await asyncio.sleep(2 * SLOW_AFTER_S)
    second = await offered(world, node, type="other")
    assert await node.relay.sweep(older_than=NOW) == 0
    assert rows(world) == [first, second]
    assert bus.rounds == 1

    bus.gate.set()
    await node.relay.drained(within_s=1)

    assert rows(world) == [second]
    assert await node.relay.sweep(older_than=NOW) == 1
    await offered(world, node, type="other")
    await node.relay.drained(within_s=1)
    assert (world.ready, world.tables.outbox) == (3, {})


async def test_what_was_offered_for_a_queue_before_it_was_slow_follows(world: World, node: Node) -> None:
    bus = Waiting(node, queue="other")
    node.relay._bus = bus  # type: ignore[assignment]
    await offered(world, node, type="other")
    await world.turns()
    await offered(world, node, type="other")
    await asyncio.sleep(2 * SLOW_AFTER_S)

    bus.gate.set()
    await node.relay.drained(within_s=1)

    assert (world.ready, world.tables.outbox) == (2, {})


async def test_what_is_more_than_a_round_follows_it(world: World, node: Node) -> None:
    job = await world.submit()
    node.relay.offer([Notice(row=n, job=job, target=Target.QUEUE) for n in range(2 * ROUND_MAX + 1)])

    await node.relay.drained(within_s=1)

    assert world.ready == 2 * ROUND_MAX // PARCEL_JOBS_MAX + 1


async def test_rows_of_several_rounds_are_forgotten_together(world: World, node: Node) -> None:
    statements = forgettings(node)
    for _ in range(3):
        await offered(world, node)
        await asyncio.sleep(FORGET_AFTER_S / 4)
    assert statements == []

    await asyncio.sleep(FORGET_AFTER_S)

    assert len(statements) == 1
    assert world.tables.outbox == {}


async def test_many_rows_are_forgotten_at_once(world: World, node: Node) -> None:
    statements = forgettings(node)
    job = await world.submit()

    node.relay.offer([Notice(row=row, job=job, target=Target.QUEUE) for row in range(FORGET_AT_ONCE)])
    await world.turns(50)

    assert len(statements) == 1
    assert asyncio.get_running_loop().time() == 0


async def test_whoever_waits_for_the_end_does_not_wait_for_company(world: World, node: Node) -> None:
    await offered(world, node)
    await world.turns()

    await node.relay.drained(within_s=1)

    assert asyncio.get_running_loop().time() == 0
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
