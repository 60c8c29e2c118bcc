"""Sending back what finds no slot: the parcel is answered for only once somebody else has its jobs."""

import pytest

from jobmill.application.codec.parcels import open_parcel
from jobmill.application.ports.message_bus import Parcel, PublishOutcome

from tests.nodes import Node
from tests.world import World


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


def sizes(world: World) -> list[int]:
    return [len(open_parcel(m.body).jobs) for line in world.broker._lines.values() for m in line.ready]


@pytest.mark.parametrize(
    ("rest", "came", "expected"),
    [(49, 50, [25, 24]), (10, 50, [10]), (3, 4, [2, 1]), (2, 3, [1, 1]), (1, 1, [1])],
)
async def test_parcels_that_go_back_have_at_most_half_the_size(
    world: World, node: Node, rest: int, came: int, expected: list[int]
) -> None:
    assert await node.returner.send_back([world.has() for _ in range(rest)], received=came)

    assert sizes(world) == expected
    assert world.tables.outbox == {}


@pytest.mark.parametrize(
    "outcome", [PublishOutcome.UNKNOWN, PublishOutcome.REFUSED, PublishOutcome.UNROUTABLE]
)
async def test_without_the_brokers_word_the_outbox_keeps_them(
    world: World, node: Node, outcome: PublishOutcome
) -> None:
    jobs = [world.has() for _ in range(3)]
    node.bus.faults = lambda moment, _parcel: outcome if moment == "before" else None

    assert await node.returner.send_back(jobs, received=50)

    assert {row.fence for row in world.tables.outbox.values()} == {job.fence for job in jobs}
    assert {world.job(job).announces for job in jobs} == {1}


async def test_only_those_without_a_word_go_through_the_outbox(world: World, node: Node) -> None:
    jobs = [world.has() for _ in range(4)]
    outcomes = [PublishOutcome.UNKNOWN, None]

    def fault(moment: str, _parcel: Parcel) -> PublishOutcome | None:
        return outcomes.pop(0) if moment == "before" else None

    node.bus.faults = fault
    assert await node.returner.send_back(jobs, received=4)

    assert {row.fence for row in world.tables.outbox.values()} == {job.fence for job in jobs[:2]}
    assert sizes(world) == [2]


async def test_a_job_that_has_moved_on_needs_no_notice(world: World, node: Node) -> None:
    job = world.has()
    world.tables.jobs[job.id] = job.cancel(now=world.clock.now(), stamp=1).job
    node.bus.disconnect()

    assert await node.returner.send_back([job], received=1)
    assert world.tables.outbox == {}


async def test_with_neither_broker_nor_store_the_jobs_are_kept(world: World, node: Node) -> None:
    node.bus.disconnect()
    node.cable.is_cut = True

    assert not await node.returner.send_back([world.has()], received=1)
    assert node.notes.names == ["jobs kept for lack of a way back"]


async def test_a_job_is_sent_back_a_logarithm_of_times(world: World, node: Node) -> None:
    """From 50 down to 1 in six steps."""
    jobs = [world.has() for _ in range(50)]
    size, steps = 50, 0
    while size > 1:
        await node.returner.send_back(jobs[:size], received=size)
        size, steps = max(sizes(world)), steps + 1
        world.broker.lose_everything()

    assert steps == 5


async def test_a_job_that_goes_to_the_end_of_its_line_is_announced_as_of_now(
    world: World, node: Node
) -> None:
    """So no barrier that stands before its new place judges it."""
    job = world.has()
    await world.passes(60)

    assert await node.returner.send_back([job], received=1)

    assert world.job(job).announced_at == world.clock.now()
    assert world.job(job).fence == job.fence


async def test_a_store_that_is_away_keeps_nothing_from_going_back(world: World, node: Node) -> None:
    node.cable.is_cut = True

    assert await node.returner.send_back([world.has()], received=1)

    assert sizes(world) == [1]
