"""One process does the chores, the others wait for it to go."""

import asyncio
from datetime import timedelta

import pytest

from jobmill.adapters.memory.tables import RoleRow
from jobmill.application.errors import SetupFault
from jobmill.application.follow_ups import LOOK_EVERY_S
from jobmill.application.leader import LEADER_TTL, ROLE, STEP_EVERY
from jobmill.domain.states import JobState

from tests.builders import SECOND
from tests.nodes import LEASE, Node
from tests.world import World

TTL_S = LEASE.ttl.total_seconds()


def leaders(world: World) -> list[str]:
    return [node.name for node in world.nodes if node.is_alive and node.leader.leads]


async def test_one_of_them_leads(world: World) -> None:
    for _ in range(3):
        world.node()
    await world.passes(60)

    assert leaders(world) == ["node-1"]


async def test_when_the_leader_dies_another_takes_over_within_its_time(world: World) -> None:
    first = world.node()
    await world.passes(5)
    world.node()
    first.kill()

    await world.passes((LEADER_TTL + 2 * STEP_EVERY).total_seconds())

    assert leaders(world) == ["node-2"]


async def test_a_leader_that_stops_lets_another_lead_at_once(world: World) -> None:
    first = world.node()
    await world.passes(5)
    world.node()
    await world.passes(1)
    await first.stop()

    await world.passes(STEP_EVERY.total_seconds() + 0.1)

    assert leaders(world) == ["node-2"]


async def test_jobs_start_when_they_are_due_and_not_at_the_next_step(world: World) -> None:
    world.node()
    await world.passes(10)
    await world.submit(delay=timedelta(seconds=3.3))
    await world.submit(delay=timedelta(seconds=5.1))
    began = asyncio.get_running_loop().time()

    await world.passes(8)

    waits = [ran.started_s - began for ran in world.runs]
    assert 3.3 <= waits[0] < 3.4
    assert 5.1 <= waits[1] < 5.2


async def test_a_new_leader_waits_a_whole_lease_before_it_lapses_any(world: World) -> None:
    job = world.has(JobState.PROCESSING, lease_until=world.clock.now() - SECOND)
    world.node()

    await world.passes(TTL_S - 0.5)
    assert world.job(job).state is JobState.PROCESSING
    await world.passes(3)
    assert world.job(job).state is not JobState.PROCESSING


async def test_a_leader_that_is_surely_alone_lapses_without_waiting(world: World) -> None:
    job = world.has(JobState.PROCESSING, lease_until=world.clock.now() - SECOND)
    node = world.node(starts=False, is_alone=True)

    leading = asyncio.create_task(node.leader.run())
    await world.passes(1)

    assert world.job(job).state is JobState.RETRYING
    leading.cancel()


async def test_after_trouble_with_the_store_it_waits_a_whole_lease_again(world: World) -> None:
    """An outage longer than a lease costs no running job an attempt: workers renew first."""
    node = world.node()
    await world.passes(30)
    node.cable.is_cut = True
    await world.passes(30)
    job = world.has(JobState.PROCESSING, lease_until=world.clock.now() - SECOND)
    node.cable.is_cut = False

    await world.passes(TTL_S - 1)
    assert world.job(job).state is JobState.PROCESSING
    await world.passes(8)
    assert world.job(job).state is not JobState.PROCESSING
    assert "chores interrupted" in node.notes.names


async def test_trouble_shorter_than_a_renewal_is_no_reason_to_wait(world: World) -> None:
    """Where the store stumbles all the time, a dead worker's jobs would stay away for as long."""
    node = world.node()
    await world.passes(30)
    job = world.has(JobState.PROCESSING, lease_until=world.clock.now() + 3 * SECOND)
    node.cable.is_cut = True
    await world.passes(2.1)
    node.cable.is_cut = False

    await world.passes(5)

    assert "chores interrupted" in node.notes.names
    assert world.job(job).state is not JobState.PROCESSING


async def test_one_that_leads_again_waits_again(world: World) -> None:
    first = world.node(is_present=False)
    await world.passes(30)
    first.cable.is_cut = True
    world.node(is_present=False)
    await world.passes(20)
    assert world.nodes[2].leader.leads
    first.cable.is_cut = False
    await world.passes(3)
    assert leaders(world) == ["node-2"]

    world.nodes[2].kill()
    await world.passes((LEADER_TTL + STEP_EVERY).total_seconds())
    assert leaders(world) == ["node-1"]
    job = world.has(JobState.PROCESSING, lease_until=world.clock.now() - SECOND)
    await world.passes(8)
    assert world.job(job).state is JobState.PROCESSING


async def test_one_that_lost_the_role_without_noticing_waits_again(world: World) -> None:
    """Another led in between, and may have seen trouble that this one knows nothing of."""
    world.node()
    await world.passes(30)
    until = world.clock.now() + 10 * SECOND
    world.tables.roles[ROLE] = RoleRow(holder="somebody else", until=until)
    await world.passes(13)
    job = world.has(JobState.PROCESSING, lease_until=world.clock.now() - SECOND)

    await world.passes(8)
    assert leaders(world) == ["node-1"]
    assert world.job(job).state is JobState.PROCESSING
    await world.passes(8)
    assert world.job(job).state is not JobState.PROCESSING


async def test_what_only_a_person_can_mend_does_not_end_the_leader(world: World) -> None:
    node = world.node()

    def clash(moment: str) -> None:
        if moment == "before epochs.current":
            raise SetupFault("a queue has other arguments")

    node.cable.trouble = clash
    await world.passes(10)
    assert ("chores interrupted", {"reason": "a queue has other arguments"}) in node.notes.events

    node.cable.trouble = lambda _moment: None
    await world.passes(5)
    assert world.broker.epoch is not None


@pytest.fixture
async def idle(world: World) -> Node:
    return world.node(starts=False)


async def test_resigning_what_is_not_held_asks_nobody(world: World, idle: Node) -> None:
    idle.cable.is_cut = True

    await idle.leader.resign()


async def test_a_store_that_is_away_is_no_reason_not_to_resign(world: World, idle: Node) -> None:
    await idle.leader._step()
    idle.cable.is_cut = True

    await idle.leader.resign()

    assert not idle.leader.leads


async def test_a_leader_with_nothing_to_do_asks_one_question_for_all_chores(world: World) -> None:
    node = world.node(is_present=False)
    await world.passes(30)
    asked: list[str] = []

    def note(moment: str) -> None:
        if moment.startswith("before "):
            asked.append(moment.removeprefix("before "))

    node.cable.trouble = note
    await world.passes(STEP_EVERY.total_seconds())

    assert sorted({*asked}) == ["agenda.look", "ended_jobs.ended", "epochs.current", "leadership.hold"]
    assert len(asked) == 3 + STEP_EVERY.total_seconds() / LOOK_EVERY_S, (
        "and one more for what others wait for"
    )


async def test_what_is_left_in_the_outbox_is_published_and_a_stop_request_carried_out(world: World) -> None:
    world.node()
    await world.passes(10)
    world.client.bus.disconnect()
    left = await world.submit()
    slipped = world.has(JobState.RETRYING, retry_at=world.clock.now() + 60 * SECOND, stop_asked=True)

    await world.passes(10)

    assert world.job(left).state is JobState.SUCCEEDED
    assert world.job(slipped).state is JobState.CANCELLED
