"""A worker that loses its store, and one that is stopped: nothing is lost, held back, or begun."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import pytest

from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.handlers import JobContext
from jobmill.application.ports.message_bus import PublishOutcome
from jobmill.domain.states import JobState

from tests.unit.application.lanes import sizes, takes_a_while
from tests.world import World


@pytest.fixture
async def world() -> World:
    return World(work=takes_a_while)


async def test_what_the_store_did_not_answer_is_neither_acknowledged_nor_lost(world: World) -> None:
    """An unknown claim that was not carried out: its notice may be the last of its job."""
    node = world.node(leads=False)
    await world.passes(0.1)

    def in_doubt(moment: str) -> None:
        if moment == "before jobs.save":
            raise StorageUnknown("cut off")

    node.cable.trouble = in_doubt
    await world.submit(payload={"s": 1})
    await world.passes(20)
    assert world.ready + world.unanswered == 1

    node.cable.trouble = lambda _moment: None
    await world.passes(30)
    assert world.states() == [JobState.SUCCEEDED]
    assert (world.ready, world.unanswered) == (0, 0)


async def test_while_the_store_is_away_nothing_is_received(world: World) -> None:
    node = world.node(leads=False)
    await world.passes(0.1)
    node.cable.is_cut = True
    await world.submit()
    await world.until(lambda: "store is away, receiving paused" in node.notes.names)
    await world.turns()

    assert not node.consumer.is_receiving
    assert world.unanswered == 0
    assert world.ready == 1
    assert node.consumer.running == 0


async def test_another_worker_takes_over_from_one_that_lost_the_store(world: World) -> None:
    node = world.node(leads=False)
    await world.passes(0.1)
    node.cable.is_cut = True
    await world.submit(payload={"s": 1})
    await world.passes(1)
    world.node()

    await world.passes(20)

    assert world.states() == [JobState.SUCCEEDED]


async def test_once_the_store_is_back_receiving_goes_on(world: World) -> None:
    node = world.node(leads=False)
    await world.passes(0.1)
    node.cable.is_cut = True
    await world.submit(count=3, payload={"s": 1})
    await world.passes(40)
    node.cable.is_cut = False

    await world.passes(5)

    assert world.states() == 3 * [JobState.SUCCEEDED]
    assert node.notes.names.count("store is away, receiving paused") == 1
    assert node.notes.names.count("store is back, receiving again") == 1


async def test_a_fault_of_ours_costs_no_slot(world: World) -> None:
    node = world.node(concurrency=1, leads=False)
    await world.passes(0.1)
    faults = [ZeroDivisionError()]

    def breaks_once(moment: str) -> None:
        if moment == "before jobs.save" and faults:
            raise faults.pop()

    node.cable.trouble = breaks_once
    await world.submit(payload={"s": 1})
    await world.passes(1)
    await world.submit(payload={"s": 1})
    await world.passes(5)

    assert node.notes.names == ["work ended by a fault of ours"]
    assert node.consumer.running == 0
    assert world.states() == [JobState.QUEUED, JobState.SUCCEEDED]
    assert world.unanswered == 1


async def test_stopping_lets_running_jobs_finish_within_the_grace(world: World) -> None:
    node = world.node()
    await world.submit(count=3, payload={"s": 20})
    await world.passes(1)

    await node.stop()

    assert world.states() == 3 * [JobState.SUCCEEDED]
    assert world.unanswered == 0
    assert 20 <= asyncio.get_running_loop().time() < 25


async def test_past_the_grace_jobs_are_handed_back_without_burning_their_attempt(world: World) -> None:
    node = world.node(grace_s=5.0)
    await world.passes(1)  # a new broker is marked before
    job = await world.submit(payload={"s": 20})
    await world.passes(1)

    await node.stop()

    row = world.job(job)
    assert (row.state, row.attempt, row.postpones) == (JobState.QUEUED, 0, 1)
    assert 6 <= asyncio.get_running_loop().time() < 9
    assert world.ready == 1  # its new notice was published on the way out
    assert (world.unanswered, len(world.tables.outbox)) == (0, 0)

    world.node()
    await world.passes(30)
    assert world.job(job).state is JobState.SUCCEEDED


async def test_stopping_sends_back_what_was_not_claimed(world: World) -> None:
    node = world.node(concurrency=1)
    await world.submit(count=9, payload={"s": 3})
    await world.passes(0.2)

    await node.stop()

    assert world.states().count(JobState.SUCCEEDED) == 1
    assert sum(sizes(world)) == 8
    assert world.unanswered == 0


async def test_stopping_without_broker_and_store_leaves_no_delivery_held(world: World) -> None:
    node = world.node(concurrency=1, leads=False)
    await world.submit(payload={"s": 3})
    await world.passes(0.2)
    await world.submit(count=4)
    await world.passes(0.2)
    node.bus.faults = lambda _moment, _parcel: PublishOutcome.REFUSED
    node.cable.is_cut = True

    await node.stop()

    assert 4 in sizes(world)


async def test_a_claim_in_flight_at_the_stop_is_awaited_and_handed_back(world: World) -> None:
    node = world.node(leads=False)
    await world.passes(0.1)

    def slow(moment: str) -> Awaitable[None] | None:
        return asyncio.sleep(2) if moment == "after jobs.save" and not world.runs else None

    node.cable.trouble = slow
    job = await world.submit(payload={"s": 1})
    await world.passes(1)
    assert world.job(job).state is JobState.PROCESSING

    await node.stop()

    assert world.job(job).state is JobState.QUEUED
    assert world.job(job).attempt == 0
    assert world.runs == []


async def test_a_handler_that_ignores_everything_does_not_hold_up_the_end(world: World) -> None:
    async def deaf(_payload: Mapping[str, Any], _context: JobContext) -> object:
        while True:
            try:
                await asyncio.sleep(1_000)
            except asyncio.CancelledError:
                pass

    world.work = deaf
    node = world.node(grace_s=5.0)
    await world.submit()
    await world.passes(1)

    stopping = asyncio.create_task(node.stop())
    await world.passes(40)

    assert stopping.done()
    assert world.states() == [JobState.PROCESSING]
    world.work = takes_a_while
    for task in node.tasks:
        task.get_coro().close()


async def test_a_store_that_is_away_at_the_stop_does_not_hold_it_up(world: World) -> None:
    node = world.node(leads=False, grace_s=5.0)
    await world.passes(0.1)

    def away(moment: str) -> None:
        if moment.startswith("before"):
            raise StorageUnavailable("away")

    node.cable.trouble = away
    await world.submit()
    await world.passes(16)

    await node.stop()

    assert world.ready == 1
    assert asyncio.get_running_loop().time() < 60


async def test_what_was_put_back_while_the_lanes_were_left_is_not_sent_back_as_well(world: World) -> None:
    """Leaving the lanes takes a moment, in which the store may go away and everything untouched go back."""
    node = world.node(concurrency=1)
    intake = node.consumer._intake
    leave = intake.close

    async def leave_and_let_go() -> None:
        await leave()
        intake.release_untouched()

    intake.close = leave_and_let_go  # type: ignore[method-assign]
    await world.submit(payload={"s": 5})
    await world.passes(0.1)
    await world.submit(count=4, payload={"s": 1})

    await world.passes(30)

    assert world.states() == 5 * [JobState.SUCCEEDED]
