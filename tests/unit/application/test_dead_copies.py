"""Copies of dead letters that are dead no longer are taken away, and nothing else is touched."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from jobmill.application.codec.parcels import encode_notice, join_notices, open_parcel
from jobmill.application.dead_copies import COMPARE_EVERY_S
from jobmill.application.handlers import JobContext
from jobmill.application.ports.message_bus import Parcel, ToDead
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import a_stamp
from tests.nodes import Node
from tests.world import World


async def fails(payload: Mapping[str, Any], _context: JobContext) -> object:
    if payload.get("ok"):
        return None
    raise ValueError("never")


@pytest.fixture
async def world() -> World:
    return World(work=fails)


@pytest.fixture
async def node(world: World) -> Node:
    """A process that leads."""
    node = world.node()
    await world.passes(3)
    return node


async def dead(world: World, count: int = 1) -> list[Job]:
    """Jobs that have died, with their copies."""
    first = len(world.tables.jobs)
    await world.submit(count=count, max_attempts=1)
    await world.passes(1)
    return list(world.tables.jobs.values())[first:]


def copied(world: World) -> list[Job]:
    """The jobs whose copies lie there."""
    return [job for parcel in world.broker.dead["default"] for job in open_parcel(parcel.body).jobs]


def move(world: World, job: Job, verb: str) -> None:
    """An operator does something to a dead letter."""
    world.tables.jobs[job.id] = getattr(world.job(job), verb)(now=world.clock.now(), stamp=a_stamp()).job


async def test_the_copy_goes_when_its_job_is_dead_no_longer(world: World, node: Node) -> None:
    stays, requeued, discarded, forgotten = await dead(world, 4)
    assert len(copied(world)) == 4
    move(world, requeued, "requeue")
    move(world, discarded, "discard")
    del world.tables.jobs[forgotten.id]

    await world.passes(COMPARE_EVERY_S + 3)

    assert [job.id for job in copied(world)] == [stays.id]
    assert "copies of dead letters removed" in node.notes.names


@pytest.mark.usefixtures("node")
async def test_a_job_that_died_again_has_one_copy_of_its_last_death(world: World) -> None:
    [job] = await dead(world)
    await world.client.operator.requeue(job.id)
    await world.passes(1)
    assert len(copied(world)) == 2

    await world.passes(COMPARE_EVERY_S + 3)

    assert [each.fence for each in copied(world)] == [world.job(job).fence]


@pytest.mark.usefixtures("node")
async def test_a_copy_that_lies_there_twice_goes_once(world: World) -> None:
    jobs = await dead(world, 3)
    world.broker.dead["default"].extend(list(world.broker.dead["default"]))

    await world.passes(COMPARE_EVERY_S + 3)

    assert sorted(job.id for job in copied(world)) == sorted(job.id for job in jobs)


@pytest.mark.usefixtures("node")
async def test_a_second_copy_is_known_in_a_later_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobmill.application.dead_copies.PAGE", 2)
    jobs = await dead(world, 3)
    world.broker.dead["default"].extend(list(world.broker.dead["default"]))

    await world.passes(COMPARE_EVERY_S + 9)

    assert sorted(job.id for job in copied(world)) == sorted(job.id for job in jobs)


@pytest.mark.usefixtures("node")
async def test_a_parcel_that_the_broker_gave_up_goes_unless_its_job_is_dead(world: World) -> None:
    waiting = world.has(JobState.SCHEDULED)
    body = join_notices([encode_notice(waiting)])
    place = ToDead(queue="default")
    world.broker.take(Parcel(destination=place, body=body, content_type="x", headers={}))

    await world.passes(COMPARE_EVERY_S + 3)

    assert copied(world) == []


@pytest.mark.usefixtures("node")
async def test_many_copies_are_looked_at_in_several_steps(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobmill.application.dead_copies.PAGE", 10)
    jobs = await dead(world, 45)
    move(world, jobs[44], "discard")

    await world.passes(COMPARE_EVERY_S + 12)

    assert {job.id for job in copied(world)} == {job.id for job in jobs[:44]}
    assert len(copied(world)) == 44


async def test_nothing_is_looked_at_while_the_numbers_agree(world: World, node: Node) -> None:
    await dead(world, 5)
    looks = _sifts_of(node)

    await world.passes(300)

    assert looks == []


async def test_foreign_messages_stay_and_are_looked_at_once(world: World, node: Node) -> None:
    [job] = await dead(world)
    foreign = Parcel(
        destination=ToDead(queue="default"), body=b"hello", content_type="text/plain", headers={}
    )
    world.broker.dead["default"].append(foreign)
    looks = _sifts_of(node)

    await world.passes(300)
    assert [parcel.body for parcel in world.broker.dead["default"] if parcel is foreign] == [b"hello"]
    assert len(looks) == 1

    move(world, job, "discard")
    await world.passes(COMPARE_EVERY_S + 3)
    assert list(world.broker.dead["default"]) == [foreign]


async def test_a_broker_that_goes_away_is_no_trouble(world: World, node: Node) -> None:
    [job] = await dead(world)
    move(world, job, "discard")

    def goes(moment: str) -> None:
        if moment == "after jobs.get":
            node.bus.disconnect()

    node.cable.trouble = goes
    await world.passes(COMPARE_EVERY_S + 3)
    node.cable.trouble = lambda _moment: None
    node.bus.reconnect()
    await world.passes(COMPARE_EVERY_S + 3)

    assert copied(world) == []
    assert world.job(job).state is JobState.DISCARDED


def _sifts_of(node: Node) -> list[str]:
    """A list that grows with each page that is taken."""
    looks: list[str] = []
    loop = asyncio.get_running_loop()

    def note(moment: str) -> None:
        if moment == "before jobs.get":
            looks.append(f"{loop.time()}")

    node.cable.trouble = note
    return looks
