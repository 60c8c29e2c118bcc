"""Foreign messages become jobs once, whatever comes between, and never stop the one who reads them."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from attrs import define

from jobmill.adapters.memory import MemoryIngress
from jobmill.application.errors import StorageRefused, StorageUnknown
from jobmill.application.ingress import IngressReaders
from jobmill.application.ingress_binding import IngressBinding, Shape
from jobmill.application.ingress_reader import HOLD_S, LOOK_S, PREFETCH
from jobmill.application.ingress_taker import IngressCase, IngressOutcome, IngressTaker
from jobmill.application.setting_aside import REASON_CHARS_MAX, SettingAside
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.nodes import Node
from tests.world import World

QUEUE = "their.queue"
BINDING = IngressBinding(name="theirs", queue=QUEUE, dedup="/payload/id")


@define(eq=False, kw_only=True)
class Door:
    """A process that takes jobs in from one queue of strangers."""

    world: World
    node: Node
    theirs: MemoryIngress
    readers: IngressReaders
    running: "asyncio.Task[None]"

    def arrives(self, body: object, **parts: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.theirs.arrive(QUEUE, raw, **parts)

    def sends(self, number: int | None, **parts: Any) -> None:
        """A message that is right; without a number nothing tells it from others."""
        payload = {} if number is None else {"id": number}
        self.arrives({"type": "work", "payload": payload}, **parts)

    async def settles(self) -> None:
        """Wait until every message is answered."""
        await self.world.until(lambda: not self.theirs.ready(QUEUE) and not self.theirs.broker.held)

    @property
    def jobs(self) -> list[Job]:
        return list(self.world.tables.jobs.values())

    @property
    def reasons(self) -> list[str]:
        return [message.reason for message in self.world.tables.quarantine.values()]

    def told(self, outcome: str) -> int:
        return self.readers.tally["theirs", outcome]


def door_of(world: World, theirs: MemoryIngress, *bindings: IngressBinding, **wishes: Any) -> Door:
    node = world.node(starts=False, **wishes)
    aside = SettingAside(
        quarantine=node.store.quarantine, clock=node.clock, entropy=node.entropy, observer=node.notes
    )
    readers = IngressReaders(
        bindings=bindings or (BINDING,),
        ingress=theirs,
        taker=IngressTaker(submitter=node.submitter, aside=aside),
        observer=node.notes,
    )
    running = asyncio.create_task(readers.run())
    return Door(world=world, node=node, theirs=theirs, readers=readers, running=running)


@pytest_asyncio.fixture
async def door(world: World) -> AsyncGenerator[Door]:
    made = door_of(world, MemoryIngress())
    await world.turns()
    yield made
    await made.readers.stop()
    assert made.running.done()
    assert made.running.exception() is None


async def test_a_message_becomes_a_job_and_is_acknowledged_then(door: Door) -> None:
    held: list[int] = []
    door.node.cable.trouble = lambda moment: (
        held.append(len(door.theirs.broker.held)) if moment == "after jobs.add" else None
    )
    door.sends(7)
    await door.settles()

    [job] = door.jobs
    assert (job.type, job.payload, job.state) == ("work", '{"id":7}', JobState.QUEUED)
    assert job.origin == '{"binding":"theirs","shape":"envelope"}'
    assert held == [1]


async def test_what_comes_twice_is_one_job(door: Door) -> None:
    for number in (1, 2, 1, 1, 2):
        door.sends(number)
    door.sends(3, message_id="m")
    await door.settles()
    door.sends(1)
    door.sends(4, message_id="m")
    await door.settles()

    assert sorted(json.loads(job.payload)["id"] for job in door.jobs) == [1, 2, 3]
    assert (door.told("accepted"), door.told("replayed")) == (3, 5)


async def test_bindings_do_not_know_each_others_keys(world: World) -> None:
    theirs = MemoryIngress()
    other = IngressBinding(name="other", queue="other", dedup="/payload/id")
    door = door_of(world, theirs, BINDING, other)
    await world.turns()

    door.sends(1)
    theirs.arrive("other", b'{"type": "work", "payload": {"id": 1}}')
    await world.until(lambda: len(door.jobs) == 2)
    await door.readers.stop()


async def test_messages_that_come_together_are_stored_together(door: Door) -> None:
    statements: list[str] = []
    door.node.cable.trouble = statements.append

    for number in range(PREFETCH):
        door.sends(number)
    await door.settles()

    assert len(door.jobs) == PREFETCH
    assert statements.count("before jobs.add") < 10


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 20_000, "16,384"),
        (b"[" * 1_000, "nests deeper than 32"),
        (b"{", "is not JSON"),
        (b"null", "must be an object"),
        ({"type": "work"}, "/payload: is required"),
        ({"type": "unheard", "payload": {}}, "unknown type 'unheard'"),
        ({"type": "work", "payload": {}, "queue": "nowhere"}, "no queue 'nowhere'"),
        ({"type": "work", "payload": {}, "ttl_s": 0}, "/ttl_s: must be above 0"),
        ({"type": "work", "payload": {"id": {}}}, "/payload/id: must be a text or a whole number"),
        ({"type": "work", "payload": {"a": "x" * 11_000}}, "10,240 are allowed"),
    ],
)
async def test_what_is_no_job_is_set_aside_with_its_reason_and_holds_nobody_up(
    door: Door, body: object, reason: str
) -> None:
    door.arrives(body, headers={"from": "afar"}, content_type="text/odd")
    door.sends(1)
    await door.settles()

    [message] = door.world.tables.quarantine.values()
    assert reason in message.reason
    assert (message.source, message.content_type) == (QUEUE, "text/odd")
    assert message.headers == {"from": "afar"}
    assert len(door.jobs) == 1
    assert door.told("quarantined") == 1


async def test_a_key_that_belongs_to_another_request_is_a_reason(door: Door) -> None:
    for number in (1, 2):
        door.arrives({"type": "work", "payload": {"id": number}, "idempotency_key": "k"})
    await door.settles()

    assert len(door.jobs) == 1
    assert ["'k' belongs to another request" in reason for reason in door.reasons] == [True]


async def test_a_reason_is_cut_where_it_is_longer_than_anybody_reads(door: Door) -> None:
    door.arrives({"type": "work", "payload": {}} | {f"unknown-{at}": 1 for at in range(500)})
    await door.settles()

    assert [len(reason) for reason in door.reasons] == [REASON_CHARS_MAX + 2]


async def test_a_fault_of_ours_in_reading_costs_the_one_message(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> object:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr("jobmill.application.ingress_taker.read_ingress", fails)
        door.sends(1)
        await door.settles()
    door.sends(2)
    await door.settles()

    assert door.reasons == ["could not be read: ZeroDivisionError('a bug')"]
    assert len(door.jobs) == 1


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


async def test_a_job_that_no_store_takes_is_set_aside(door: Door) -> None:
    def refuses(moment: str) -> None:
        if moment == "before jobs.add":
            raise StorageRefused("no")

    door.node.cable.trouble = refuses
    door.sends(1)
    await door.settles()

    assert door.reasons == ["no"]


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
    failures = [RuntimeError("no such luck")]
    receive = MemoryIngress.receive

    def fails_once(self: MemoryIngress, queue: str, *, prefetch: int) -> object:
        if failures:
            raise failures.pop()
        return receive(self, queue, prefetch=prefetch)

    monkeypatch.setattr(MemoryIngress, "receive", fails_once)
    door = door_of(world, MemoryIngress())
    await world.passes(2 * LOOK_S)
    door.sends(1)
    await door.settles()
    await door.readers.stop()

    assert len(door.jobs) == 1
    assert "ingress is no longer read" in door.node.notes.names


async def test_plain_calls_become_jobs_of_the_type_of_their_binding(world: World) -> None:
    calls = IngressBinding(name="theirs", queue=QUEUE, shape=Shape.CALL, type="work", dedup="/call_id")
    door = door_of(world, MemoryIngress(), calls)
    await world.turns()
    for attempt in (1, 2):
        door.arrives({"call_id": "c", "phone_number": "+431", "attempt": attempt, "timestamp": "now"})
    await door.settles()
    await door.readers.stop()

    [job] = door.jobs
    assert json.loads(job.payload) == {"call_id": "c", "phone_number": "+431"}
    assert json.loads(job.origin or "")["attempt"] == 1
    assert job.attempt == 0
