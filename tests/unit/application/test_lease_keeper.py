"""Keeping leases: renewed in bulk at a third; no handler outlives the belief in its lease (rules 29, 30)."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.lease_keeper import CANCEL_GRACE_S
from jobmill.application.run import Interrupt, Run
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.nodes import LEASE, Node
from tests.world import World

TTL_S = LEASE.ttl.total_seconds()
BELIEF_S = TTL_S - LEASE.margin.total_seconds()


@pytest.fixture
async def node(world: World) -> Node:
    """A worker whose keeper alone is at work."""
    node = world.node(starts=False)
    node.keeping = asyncio.create_task(node.keeper.keep())  # type: ignore[attr-defined]
    return node


def now_s() -> float:
    return asyncio.get_running_loop().time()


class Handler:
    """A handler that waits for its cancellation."""

    def __init__(self, run: Run, *, is_deaf: bool = False) -> None:
        self.run = run
        self.stopped_s: float | None = None
        self.is_deaf = is_deaf
        self.task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        self.run.task = asyncio.current_task()
        self.run.begin()
        try:
            await asyncio.sleep(1_000)
        except asyncio.CancelledError:
            self.stopped_s = now_s()
            if self.is_deaf:
                await asyncio.sleep(1_000)


async def running(world: World, node: Node, *, is_deaf: bool = False, **facts: Any) -> Handler:
    job = world.has(**facts)
    [run] = (await node.claimer.claim([job])).runs
    node.keeper.watch([run])
    handler = Handler(run, is_deaf=is_deaf)
    await asyncio.sleep(0)
    return handler


def lease_of(world: World, job: Job) -> float:
    until = world.job(job).lease_until
    assert until is not None
    return (until - world.clock._loop.start).total_seconds()


async def test_a_lease_is_renewed_when_a_third_of_it_is_over(world: World, node: Node) -> None:
    handler = await running(world, node)

    await world.passes(4.9)
    assert lease_of(world, handler.run.job) == TTL_S

    await world.passes(1.2)
    assert lease_of(world, handler.run.job) >= 5 + TTL_S


async def test_a_long_job_keeps_its_lease_all_the_time(world: World, node: Node) -> None:
    handler = await running(world, node)

    for _ in range(200):
        await world.passes(1.0)
        assert lease_of(world, handler.run.job) > now_s()

    assert handler.stopped_s is None


async def test_all_runs_are_renewed_by_one_statement(world: World, node: Node) -> None:
    for _ in range(20):
        await running(world, node)
    statements: list[str] = []
    node.cable.trouble = statements.append

    await world.passes(6)

    assert statements == ["before leases.renew", "after leases.renew"]


async def test_belief_ends_before_the_lease_to_the_moment(world: World, node: Node) -> None:
    handler = await running(world, node)
    node.cable.is_cut = True

    await world.passes(TTL_S)

    assert handler.stopped_s == BELIEF_S
    assert handler.stopped_s < lease_of(world, handler.run.job)
    assert handler.run.interrupt is Interrupt.LEASE_LOST


async def test_belief_after_a_renewal_counts_from_its_sending(world: World, node: Node) -> None:
    handler = await running(world, node)

    def slow_answer(moment: str) -> Awaitable[None] | None:
        return asyncio.sleep(3) if moment == "after leases.renew" else None

    node.cable.trouble = slow_answer
    await world.passes(9)
    node.cable.is_cut = True
    await world.passes(60)

    assert handler.run.believes_until_s == 5 + BELIEF_S
    assert handler.stopped_s == 5 + BELIEF_S


@pytest.mark.parametrize("error", [StorageUnavailable("away"), StorageUnknown("cut off")])
async def test_one_renewal_may_fail(world: World, node: Node, error: Exception) -> None:
    handler = await running(world, node)
    errors = [error]

    def fails_once(moment: str) -> None:
        if moment == "before leases.renew" and errors:
            raise errors.pop()

    node.cable.trouble = fails_once
    await world.passes(100)

    assert handler.stopped_s is None
    assert "leases not renewed" in node.notes.names


async def test_a_busy_row_is_no_reason_to_stop(world: World, node: Node) -> None:
    handler = await running(world, node)
    world.tables.locked.add(handler.run.job.id)
    await world.passes(8)
    world.tables.locked.clear()

    await world.passes(100)

    assert handler.stopped_s is None


async def test_a_row_that_was_busy_twice_is_renewed_as_soon_as_it_is_free(world: World, node: Node) -> None:
    handler = await running(world, node)
    world.tables.locked.add(handler.run.job.id)
    await world.passes(11)  # two renewals of three were due
    world.tables.locked.clear()

    await world.passes(100)

    assert handler.stopped_s is None


async def test_a_row_that_stays_busy_is_given_up_with_the_belief(world: World, node: Node) -> None:
    handler = await running(world, node)
    world.tables.locked.add(handler.run.job.id)

    await world.passes(100)

    assert handler.stopped_s == BELIEF_S


async def test_a_lost_lease_stops_the_handler(world: World, node: Node) -> None:
    handler = await running(world, node)
    row = world.job(handler.run.job)
    world.tables.jobs[row.id] = row.succeed(result=None, now=world.clock.now(), stamp=1).job

    await world.passes(6.5)

    assert handler.run.interrupt is Interrupt.LEASE_LOST
    assert handler.stopped_s is not None


async def test_a_renewal_that_hangs_does_not_delay_the_stopping(world: World, node: Node) -> None:
    handler = await running(world, node)

    def hangs(moment: str) -> Awaitable[None] | None:
        return asyncio.sleep(300) if moment == "before leases.renew" else None

    node.cable.trouble = hangs
    await world.passes(60)

    assert handler.stopped_s == BELIEF_S


async def test_the_answer_of_an_older_renewal_does_not_shorten_belief(world: World, node: Node) -> None:
    handler = await running(world, node)
    waits = [6.5]

    def first_is_slow(moment: str) -> Awaitable[None] | None:
        return asyncio.sleep(waits.pop()) if moment == "after leases.renew" and waits else None

    node.cable.trouble = first_is_slow
    await world.passes(12)

    assert handler.run.believes_until_s >= 10 + BELIEF_S


async def test_a_stop_request_reaches_the_handler_with_a_renewal(world: World, node: Node) -> None:
    handler = await running(world, node)
    await world.client.operator.cancel(handler.run.job.id)

    await world.passes(6.5)

    assert handler.run.interrupt is Interrupt.STOP_ASKED
    assert handler.run.job.stop_asked
    assert handler.stopped_s is not None


async def test_a_lost_lease_means_nothing_while_the_outcome_is_being_saved(world: World, node: Node) -> None:
    handler = await running(world, node)
    handler.run.end()
    row = world.job(handler.run.job)
    world.tables.jobs[row.id] = row.succeed(result=None, now=world.clock.now(), stamp=1).job

    await world.passes(60)

    assert handler.run.interrupt is None
    assert handler.stopped_s is None


async def test_a_run_whose_outcome_is_being_saved_is_still_renewed(world: World, node: Node) -> None:
    handler = await running(world, node)
    handler.run.end()

    await world.passes(60)

    assert lease_of(world, handler.run.job) > now_s()


async def test_a_run_that_is_over_is_renewed_no_more(world: World, node: Node) -> None:
    handler = await running(world, node)

    node.keeper.forget([handler.run])
    await world.passes(60)

    assert lease_of(world, handler.run.job) == TTL_S
    assert handler.stopped_s is None
    assert node.keeper.runs == ()


async def test_a_handler_that_ignores_its_cancellation_loses_its_lease(world: World, node: Node) -> None:
    handler = await running(world, node, is_deaf=True)
    handler.run.stop(Interrupt.TIMEOUT)

    await world.passes(CANCEL_GRACE_S + 2)
    assert handler.run.is_abandoned
    assert node.notes.names == ["handler ignores its cancellation"]

    await world.passes(TTL_S + 5)
    assert lease_of(world, handler.run.job) < now_s()
    assert node.notes.names == ["handler ignores its cancellation"]


async def test_a_handler_that_ends_within_the_grace_is_not_abandoned(world: World, node: Node) -> None:
    handler = await running(world, node, is_deaf=True)
    handler.run.stop(Interrupt.STOP_ASKED)

    await world.passes(CANCEL_GRACE_S - 2)

    assert not handler.run.is_abandoned
    assert lease_of(world, handler.run.job) > now_s()


async def test_a_run_whose_belief_is_over_before_it_is_watched_is_stopped_at_once(
    world: World, node: Node
) -> None:
    job = world.has()
    [run] = (await node.claimer.claim([job])).runs
    await world.passes(BELIEF_S)

    node.keeper.watch([run])

    assert run.interrupt is Interrupt.LEASE_LOST
    assert world.job(job).state is JobState.PROCESSING


async def test_a_fault_of_ours_in_a_renewal_ends_the_keeper_for_all_to_see(world: World, node: Node) -> None:
    await running(world, node)

    def breaks(moment: str) -> None:
        if moment == "before leases.renew":
            raise ZeroDivisionError

    node.cable.trouble = breaks
    await world.passes(10)

    keeping: asyncio.Task[None] = node.keeping  # type: ignore[attr-defined]
    assert isinstance(keeping.exception(), ZeroDivisionError)
