"""Foreign messages become jobs once, whatever comes between, and never stop the one who reads them."""

import json

import pytest

from jobmill.adapters.memory import MemoryIngress
from jobmill.application.errors import StorageRefused
from jobmill.application.ingress_binding import IngressBinding, Shape
from jobmill.application.ingress_reader import PREFETCH
from jobmill.application.setting_aside import REASON_CHARS_MAX
from jobmill.domain.states import JobState

from tests.unit.application.door import BINDING, QUEUE, Door, door_of
from tests.world import World


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


async def test_a_job_that_no_store_takes_is_set_aside(door: Door) -> None:
    def refuses(moment: str) -> None:
        if moment == "before jobs.add":
            raise StorageRefused("no")

    door.node.cable.trouble = refuses
    door.sends(1)
    await door.settles()

    assert door.reasons == ["no"]


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
