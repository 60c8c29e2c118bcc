"""From the outbox to the bus: nothing is forgotten that was not confirmed, and nobody holds up the others."""

import asyncio
from datetime import timedelta

import pytest

from jobmill.application.errors import StorageUnavailable
from jobmill.application.ports.message_bus import Parcel, PublishOutcome, ToDead
from jobmill.application.ports.outbox import Notice
from jobmill.domain.states import JobState, Target

from tests.builders import SECOND
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


def answers(node: Node, outcome: PublishOutcome, *, moment: str = "before", queue: str | None = None) -> None:
    """Let the broker answer so, for one queue or all."""

    def fault(at: str, parcel: Parcel) -> PublishOutcome | None:
        wanted = queue is None or parcel.headers["queue"] == queue
        return outcome if at == moment and wanted else None

    node.bus.faults = fault


async def test_what_is_offered_is_published_and_forgotten(world: World, node: Node) -> None:
    await offered(world, node)
    await node.relay.drained(within_s=1)

    assert world.ready == 1
    assert world.tables.outbox == {}
    assert asyncio.get_running_loop().time() == 0


async def test_what_is_committed_together_shares_parcels(world: World, node: Node) -> None:
    jobs = [await world.submit() for _ in range(120)]
    node.relay.offer([Notice(row=job.stamp, job=job, target=Target.QUEUE) for job in jobs])
    await node.relay.drained(within_s=1)

    assert world.ready == 3
    assert world.tables.outbox == {}


@pytest.mark.parametrize(
    "outcome", [PublishOutcome.UNKNOWN, PublishOutcome.REFUSED, PublishOutcome.UNROUTABLE]
)
async def test_a_row_that_was_not_confirmed_stays(world: World, node: Node, outcome: PublishOutcome) -> None:
    answers(node, outcome, moment="after")
    job = await offered(world, node)
    await node.relay.drained(within_s=1)

    assert rows(world) == [job]


async def test_exactly_the_rows_of_confirmed_parcels_are_forgotten(world: World, node: Node) -> None:
    answers(node, PublishOutcome.UNKNOWN, queue="other")
    theirs = await offered(world, node, type="other")
    await offered(world, node)
    await node.relay.drained(within_s=1)

    assert rows(world) == [theirs]


async def test_confirming_a_version_does_not_forget_the_next_one_of_the_job(world: World, node: Node) -> None:
    """v1 is confirmed after v3 was written: the row of v3 has to stay, or the retry is lost."""
    job = await world.submit()
    first = Notice(row=job.stamp, job=job, target=Target.QUEUE)
    later = world.job(job).defer(SECOND, "x", now=world.clock.now(), stamp=77)
    await world.client.commits.save([later])

    await node.relay._publish([first])

    assert 77 in world.tables.outbox
    assert job.stamp not in world.tables.outbox


async def test_a_broker_that_is_away_is_offered_nothing(world: World, node: Node) -> None:
    node.bus.disconnect()
    job = await offered(world, node)
    node.bus.reconnect()
    await world.turns()

    assert world.ready == 0
    assert rows(world) == [job]
    assert await node.relay.sweep(older_than=NOW) == 1
    assert world.ready == 1


async def test_the_sweep_leaves_young_rows_to_their_fast_path(world: World, node: Node) -> None:
    await world.submit()
    assert await node.relay.sweep() == 0

    await world.passes(5)

    assert await node.relay.sweep() == 1
    assert world.tables.outbox == {}


async def test_the_sweep_skips_rows_in_flight(world: World, node: Node) -> None:
    gate = asyncio.Event()
    publish = node.bus.publish

    class Slow:
        is_up = True

        async def publish(self, parcels: list[Parcel]) -> object:
            await gate.wait()
            return await publish(parcels)

    node.relay._bus = Slow()  # type: ignore[assignment]
    await offered(world, node)
    await world.passes(60)

    assert await node.relay.sweep() == 0

    gate.set()
    await node.relay.drained(within_s=1)
    assert world.ready == 1
    assert world.tables.outbox == {}


async def test_the_sweep_does_nothing_while_the_broker_is_away(world: World, node: Node) -> None:
    await world.submit()
    node.bus.disconnect()

    def no_statement(moment: str) -> None:
        raise AssertionError(moment)

    node.cable.trouble = no_statement
    assert await node.relay.sweep(older_than=NOW) == 0


@pytest.mark.parametrize("outcome", [PublishOutcome.REFUSED, PublishOutcome.UNROUTABLE])
async def test_a_queue_that_refuses_rests_and_does_not_stop_the_others(
    world: World, node: Node, outcome: PublishOutcome
) -> None:
    answers(node, outcome, queue="other")
    theirs = await world.submit(type="other")
    await world.passes(10)
    await world.submit()

    assert await node.relay.sweep(older_than=NOW) == 1
    assert node.relay.refusing_queues == {"other"}
    assert rows(world) == [theirs]

    node.bus.faults = lambda _moment, _parcel: None
    assert await node.relay.sweep(older_than=NOW) == 0
    await world.passes(1.1)
    assert await node.relay.sweep(older_than=NOW) == 1
    assert node.relay.refusing_queues == frozenset()


async def test_a_resting_queue_is_left_alone_on_the_fast_path_too(world: World, node: Node) -> None:
    answers(node, PublishOutcome.REFUSED, queue="other")
    await offered(world, node, type="other")
    await node.relay.drained(within_s=1)
    node.bus.faults = lambda _moment, _parcel: None

    job = await offered(world, node, type="other")
    await node.relay.drained(within_s=1)

    assert world.ready == 0
    assert job in rows(world)


async def test_rests_grow_to_a_minute_and_begin_anew_after_a_success(world: World, node: Node) -> None:
    answers(node, PublishOutcome.REFUSED)
    await world.submit()
    rests = []
    for _ in range(9):
        await node.relay.sweep(older_than=NOW)
        began = asyncio.get_running_loop().time()
        await world.until(lambda: not node.relay.refusing_queues)
        rests.append(round(asyncio.get_running_loop().time() - began))

    assert rests == [1, 2, 4, 8, 16, 32, 60, 60, 60]

    node.bus.faults = lambda _moment, _parcel: None
    await node.relay.sweep(older_than=NOW)
    assert world.tables.outbox == {}


async def test_an_answer_that_did_not_come_is_no_fault_of_the_queue(world: World, node: Node) -> None:
    answers(node, PublishOutcome.UNKNOWN)
    await world.submit()
    await node.relay.sweep(older_than=NOW)

    assert node.relay.refusing_queues == frozenset()


async def test_a_store_that_is_away_costs_a_doubled_notice_at_worst(world: World, node: Node) -> None:
    def forgets_fail(moment: str) -> None:
        if moment == "before outbox.forget":
            raise StorageUnavailable("away")

    node.cable.trouble = forgets_fail
    job = await offered(world, node)
    await node.relay.drained(within_s=1)
    assert rows(world) == [job]
    assert node.notes.names == ["outbox rows not forgotten"]

    node.cable.trouble = lambda _moment: None
    assert await node.relay.sweep(older_than=NOW) == 1
    assert (world.ready, world.tables.outbox) == (2, {})


async def test_a_retry_goes_to_the_ladder_for_what_is_left_of_its_delay(world: World, node: Node) -> None:
    job = world.has(JobState.QUEUED)
    await node.commits.save([job.defer(8 * SECOND, "x", now=world.clock.now(), stamp=1)])
    await node.relay.drained(within_s=1)
    assert (world.ready, len(world.broker.ladder)) == (0, 1)

    await world.passes(7.9)
    assert world.ready == 0
    await world.passes(0.2)
    assert world.ready == 1


async def test_dead_letters_go_to_their_copy(world: World, node: Node) -> None:
    job = world.has(ttl=SECOND, expires_at=world.clock.now())
    await node.commits.save([job.expire(now=world.clock.now(), stamp=1)])
    await node.relay.drained(within_s=1)

    [letter] = world.broker.dead["default"]
    assert letter.destination == ToDead(queue="default")
    assert world.tables.outbox == {}


async def test_draining_has_its_bound(world: World, node: Node) -> None:
    node.relaying.cancel()  # type: ignore[attr-defined]
    await offered(world, node)

    await node.relay.drained(within_s=5)

    assert asyncio.get_running_loop().time() == 5
