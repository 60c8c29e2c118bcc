"""Showing oneself alive by a lock, and stopping in time when it is lost (rule 40)."""

import asyncio
import math
from collections.abc import Awaitable, Mapping
from typing import Any

import pytest

from jobmill.application.errors import PresenceLost
from jobmill.application.handlers import JobContext
from jobmill.application.run import Interrupt
from jobmill.domain.presence import PresencePolicy, key_of
from jobmill.domain.states import JobState

from tests.nodes import Node
from tests.unit.application.bench import Bench, sleeps, works_off
from tests.world import World

POLICY = PresencePolicy()
SILENCE_S = (POLICY.gone_after - POLICY.margin).total_seconds()


def now_s() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
async def node(bench: Bench) -> Node:
    """A worker whose keeper and attendance are at work."""
    bench.node.attending = asyncio.create_task(bench.node.attendance.run())  # type: ignore[attr-defined]
    await bench.world.passes(5)
    return bench.node


def breaks(node: Node) -> None:
    """The connection ends, and the lock with it; nothing can be asked until ``cable.is_cut`` is False."""
    node.cable.is_cut = True
    node.store.presence.sever()


async def slow(_payload: Mapping[str, Any], _context: JobContext) -> object:
    await asyncio.sleep(8)
    return None


async def test_the_name_proves_a_lock_that_is_held(world: World, node: Node) -> None:
    assert key_of(node.attendance.name) in world.tables.presences
    assert node.attendance.name.startswith("node-1#")
    assert node.attendance.believed_until(node.attendance.name) > now_s() + 1
    assert (node.attendance.is_settled, node.attendance.trouble) == (True, None)


async def test_before_the_lock_is_held_the_name_proves_none(world: World) -> None:
    node = world.node(starts=False)

    assert node.attendance.name == "node-1"
    assert node.attendance.believed_until("node-1") == math.inf
    assert not node.attendance.is_settled


async def test_a_store_without_such_locks_is_no_trouble(world: World) -> None:
    node = world.node(starts=False, is_present=False)

    await node.attendance.run()

    assert (node.attendance.is_settled, node.attendance.trouble, node.attendance.name) == (
        True,
        None,
        "node-1",
    )


async def test_a_lock_that_is_regained_in_time_keeps_name_and_runs(bench: Bench, node: Node) -> None:
    name = node.attendance.name
    run, task = await bench.begins(sleeps)

    breaks(node)
    await bench.world.passes(SILENCE_S - 0.9)
    node.cable.is_cut = False
    await bench.world.passes(5)

    assert node.attendance.name == name
    assert key_of(name) in bench.world.tables.presences
    assert (run.interrupt, run.job.worker) == (None, name)
    task.cancel()


async def test_runs_are_stopped_before_anybody_can_have_found_the_lock_free_twice(
    bench: Bench, node: Node
) -> None:
    run, task = await bench.begins(sleeps)

    breaks(node)
    lost_s = now_s()
    await bench.world.until(lambda: run.interrupt)

    assert run.interrupt is Interrupt.PRESENCE_LOST
    assert now_s() - lost_s < POLICY.gone_after.total_seconds() - 0.1
    node.cable.is_cut = False
    await task
    row = bench.world.job(run.job)
    assert (row.state, row.attempt) == (JobState.QUEUED, 0), "handed back, and no attempt is burnt"


async def test_silence_counts_from_before_the_last_question_that_was_answered(
    bench: Bench, node: Node
) -> None:
    run, task = await bench.begins(sleeps)
    asked_s: list[float] = []

    def hangs(moment: str) -> Awaitable[None] | None:
        if moment == "before presence.look":
            asked_s.append(now_s())
            return asyncio.sleep(0.5) if len(asked_s) == 1 else asyncio.get_running_loop().create_future()
        return None

    node.cable.trouble = hangs
    await bench.world.until(lambda: run.interrupt)

    assert asked_s[0] + SILENCE_S <= now_s() <= asked_s[0] + SILENCE_S + 0.11
    node.cable.trouble = lambda _moment: None
    await task


async def test_a_lock_lost_for_too_long_is_never_taken_again(world: World, node: Node) -> None:
    name = node.attendance.name

    breaks(node)
    await world.passes(10)
    assert node.attendance.name == "node-1"
    assert "cable is cut" in str(node.attendance.trouble)
    assert node.attendance.believed_until(name) == -math.inf
    node.cable.is_cut = False
    await world.passes(60)

    assert node.attendance.name not in ("node-1", name)
    assert node.attendance.believed_until(node.attendance.name) > now_s()
    assert node.attendance.believed_until(name) == -math.inf, "whatever is held now is another lock"
    assert str(node.attendance.trouble) == "None"
    assert node.notes.names.count("no presence lock: leases alone tell that this process lives") == 1


async def test_a_lock_that_comes_back_too_late_does_not_count(world: World, node: Node) -> None:
    """It is taken in time, and seen only when somebody may have found it free twice."""
    name, breaks_s = node.attendance.name, now_s()

    async def slowly(_moment: str) -> None:
        await asyncio.sleep(SILENCE_S)

    node.store.presence.sever()
    node.cable.trouble = lambda moment: slowly(moment) if moment == "after presence.look" else None
    await world.until(lambda: node.attendance.name == "node-1")
    assert now_s() - breaks_s < POLICY.gone_after.total_seconds()
    await world.passes(2)
    node.cable.trouble = lambda _moment: None
    await world.passes(60)

    assert node.attendance.name not in ("node-1", name)


async def test_a_job_claimed_under_a_name_that_is_lost_by_then_is_not_begun(bench: Bench, node: Node) -> None:
    began: list[str] = []

    async def work(_payload: Mapping[str, Any], context: JobContext) -> object:
        began.append(context.type)
        return None

    async def late(_moment: str) -> None:
        await asyncio.sleep(3)

    bench.world.work = work
    node.cable.trouble = lambda moment: late(moment) if moment == "after jobs.save" else None
    claiming = asyncio.create_task(bench.claims())
    await bench.world.turns()
    node.store.presence.sever()
    node.cable.trouble = lambda moment: late(moment) if moment.startswith("before presence") else None
    run = await claiming
    node.cable.trouble = lambda _moment: None
    await works_off(node, run)

    assert began == []
    assert bench.world.job(run.job).state is JobState.QUEUED


async def test_behind_a_pooling_proxy_leases_decide_and_it_is_said(bench: Bench, node: Node) -> None:
    def moves_away(moment: str) -> None:
        if moment == "before presence.look":
            raise PresenceLost("the lock is held by another connection")

    node.cable.trouble = moves_away
    await bench.world.passes(1)
    opened = len(node.store.presence._sessions)
    run, task = await bench.begins(sleeps)
    node.cable.trouble = lambda _moment: None
    await bench.world.passes(50)

    assert (node.attendance.name, run.job.worker, run.interrupt) == ("node-1", "node-1", None)
    assert node.attendance.trouble == "the lock is held by another connection"
    assert len(node.store.presence._sessions) == opened, "no further lock is left with the proxy"
    task.cancel()


async def test_a_store_that_loses_all_connections_costs_no_attempt_and_no_run(world: World) -> None:
    world.work = slow
    nodes = [world.node(), world.node()]
    await world.passes(5)
    await world.submit(count=6)
    await world.passes(2)

    for node in nodes:
        node.store.presence.sever()
    await world.passes(30)

    assert world.states() == 6 * [JobState.SUCCEEDED]
    assert len(world.runs) == 6
    assert world.overlaps == []


@pytest.mark.parametrize("phase", [0.0, 0.13, 0.26, 0.39])
@pytest.mark.parametrize("outage_s", [0.4, 1.5, 1.8, 2.2, 3.0, 20.0])
async def test_no_two_believe_in_a_job_however_long_one_is_cut_off(
    world: World, phase: float, outage_s: float
) -> None:
    world.work = slow
    cut, other = world.node(), world.node()
    await world.passes(5 + phase)
    await world.submit(count=20)
    await world.passes(1)

    breaks(cut)
    await world.passes(outage_s)
    cut.cable.is_cut = False
    await world.passes(200)

    assert set(world.states()) == {JobState.SUCCEEDED}
    assert world.overlaps == []
    assert other.is_alive
