"""What foreign messages go through while they cannot be stored: none is lost, and none becomes two jobs."""

import asyncio

import pytest

from jobmill.adapters.memory import MemoryIngress
from jobmill.application.errors import StorageRefused, StorageUnknown
from jobmill.application.ingress_reader import HOLD_S, LOOK_S, PREFETCH
from jobmill.application.ingress_taker import IngressCase, IngressOutcome, IngressTaker

from tests.unit.application.door import QUEUE, Door, door_of
from tests.world import World


async def test_a_message_that_we_fail_to_store_holds_no_other_up_and_is_not_put_back_to_fail_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, failures = IngressTaker.settle, [ZeroDivisionError("a bug")]

    async def fails_once(self: IngressTaker, case: IngressCase) -> IngressOutcome:
        if failures:
            raise failures.pop()
        return await settle(self, case)

    monkeypatch.setattr(IngressTaker, "settle", fails_once)
    door = door_of(world, MemoryIngress())
    await world.turns()
    door.sends(1)
    door.sends(2)
    await world.until(lambda: len(door.jobs) == 1)
    await world.passes(60)

    assert (len(door.jobs), len(door.theirs.broker.held)) == (1, 1)
    assert "ingress failed on a message" in door.node.notes.names
    await door.readers.stop()


async def test_while_the_store_is_away_messages_are_held_and_none_is_lost(door: Door) -> None:
    door.node.cable.is_cut = True
    for number in range(3):
        door.sends(number)
    door.arrives(b"garbage")
    await door.world.passes(HOLD_S / 2)
    assert (len(door.theirs.broker.held), door.jobs) == (4, [])

    door.node.cable.is_cut = False
    await door.settles()

    assert (len(door.jobs), len(door.reasons)) == (3, 1)
    assert [name for name in door.node.notes.names if name.startswith("ingress")] == [
        "ingress waits",
        "ingress goes on",
    ]


async def test_a_store_that_stays_away_gets_nothing_more_and_others_get_the_messages(door: Door) -> None:
    door.node.cable.is_cut = True
    for number in range(PREFETCH + 50):
        door.sends(number)
    await door.world.passes(HOLD_S + 30)
    assert door.theirs.ready(QUEUE) == PREFETCH + 50
    other = door_of(door.world, door.theirs)
    await other.settles()
    await other.readers.stop()
    assert len(door.jobs) == PREFETCH + 50

    door.node.cable.is_cut = False
    await door.world.passes(2 * LOOK_S)
    door.sends(1_000)
    await door.settles()

    assert len(door.jobs) == PREFETCH + 51


async def test_a_commit_in_doubt_is_tried_with_the_same_job(door: Door) -> None:
    doubts = [StorageUnknown("cut off")]

    def doubtful(moment: str) -> None:
        if moment == "after jobs.add" and doubts:
            raise doubts.pop()

    door.node.cable.trouble = doubtful
    door.sends(None)
    await door.settles()

    assert doubts == []
    assert len(door.jobs) == 1


async def test_an_entry_in_doubt_is_one_entry(door: Door) -> None:
    doubts = [StorageUnknown("cut off")]

    def doubtful(moment: str) -> None:
        if moment == "after quarantine.keep" and doubts:
            raise doubts.pop()

    door.node.cable.trouble = doubtful
    door.arrives(b"garbage")
    await door.settles()

    assert doubts == []
    assert len(door.reasons) == 1


async def test_a_full_queue_leaves_messages_where_they_are_until_there_is_room(world: World) -> None:
    door = door_of(world, MemoryIngress(), queue_jobs_max=3)
    await world.turns()
    for number in range(5):
        door.sends(number)
    await world.passes(HOLD_S + 60)
    assert (len(door.jobs), door.theirs.ready(QUEUE)) == (3, 2)

    for job in door.jobs:
        await door.node.operator.cancel(job.id)
    await door.settles()
    await door.readers.stop()

    assert len(door.jobs) == 5


async def test_what_was_delivered_before_and_has_no_key_may_be_a_double_and_is_counted(door: Door) -> None:
    door.sends(None)
    door.sends(1)
    await door.settles()
    assert door.told("possible double") == 0

    door.node.cable.is_cut = True
    door.sends(None)
    door.sends(2)
    await door.world.passes(HOLD_S + 30)
    door.node.cable.is_cut = False
    await door.settles()

    assert door.told("possible double") == 1
    [fields] = [
        fields for name, fields in door.node.notes.events if name == "ingress may have made a second job"
    ]
    assert (fields["binding"], fields["so_far"]) == ("theirs", 1)


async def test_stopping_brings_what_was_taken_to_its_end(door: Door) -> None:
    gate = asyncio.Event()

    async def waits(moment: str) -> None:
        if moment == "before jobs.add":
            await gate.wait()

    door.node.cable.trouble = waits
    door.sends(1)
    await door.world.turns()
    stopping = asyncio.create_task(door.readers.stop())
    await door.world.turns()
    door.sends(2)
    gate.set()
    await stopping

    assert len(door.jobs) == 1
    assert (door.theirs.ready(QUEUE), door.theirs.broker.held) == (1, {})


async def test_stopping_amid_trouble_puts_everything_back(door: Door) -> None:
    door.node.cable.is_cut = True
    for number in range(3):
        door.sends(number)
    await door.world.passes(10)
    await door.readers.stop()

    assert door.theirs.ready(QUEUE) == 3
    assert door.theirs.broker.held == {}


async def test_a_queue_whose_reading_fails_is_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [RuntimeError("no such luck") for _ in range(3)]
    receive = MemoryIngress.receive

    def fails_once(self: MemoryIngress, queue: str, *, prefetch: int) -> object:
        if failures:
            raise failures.pop()
        return receive(self, queue, prefetch=prefetch)

    monkeypatch.setattr(MemoryIngress, "receive", fails_once)
    door = door_of(world, MemoryIngress())
    await world.passes(LOOK_S / 2)
    assert len(failures) == 2
    await world.passes(3 * LOOK_S)
    door.sends(1)
    await door.settles()
    await door.readers.stop()

    assert len(door.jobs) == 1
    assert "ingress is no longer read" in door.node.notes.names


async def test_an_entry_that_the_store_refuses_is_not_taken_for_kept(door: Door) -> None:
    refusals = [StorageRefused("with headers"), StorageRefused("and without")]

    def refuses(moment: str) -> None:
        if moment == "before quarantine.keep" and refusals:
            raise refusals.pop()

    door.node.cable.trouble = refuses
    door.arrives(b"garbage")
    await door.settles()

    assert refusals == []
    assert len(door.reasons) == 1
