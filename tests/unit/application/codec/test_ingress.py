"""Foreign messages of every shape: what they ask for, what tells them apart, and what is wrong with them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from jobmill.application.codec.ingress import BODY_BYTES_MAX, IngressEntry, found_at, read_ingress
from jobmill.application.codec.strict_json import MalformedJson
from jobmill.application.errors import InvalidPayload, TooLarge
from jobmill.application.ingress_binding import IngressBinding, Shape
from jobmill.domain.errors import Fault
from jobmill.domain.options import JobOptions
from jobmill.domain.states import Priority

CALL = {"call_id": "c-1", "phone_number": "+431", "attempt": 4, "timestamp": "2026-11-28 09:00"}
EVENT = {"type": "ODDS", "payload": {"a": 1}, "metadata": {"eventId": "e-1", "timestamp": 17, "by": "x"}}
CLOUDEVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "order.paid",
    "time": "2026-11-28T09:00:00Z",
    "datacontenttype": "application/json; charset=utf-8",
    "traceparent": "00-abc",
    "subject": None,
    "data": {"order": 7},
}


def binding(shape: Shape, **wishes: Any) -> IngressBinding:
    return IngressBinding(name="shop", queue="shop", shape=shape, **wishes)


def read(value: object, shape: Shape, *, message_id: str | None = None, **wishes: Any) -> IngressEntry:
    return read_ingress(json.dumps(value).encode(), message_id=message_id, binding=binding(shape, **wishes))


def origin_of(entry: IngressEntry) -> dict[str, Any]:
    origin: dict[str, Any] = json.loads(entry.command.origin or "")
    return origin


def places(value: object, shape: Shape, **wishes: Any) -> list[str]:
    """Where the faults of a message stand in it."""
    entry = read(value, shape, **wishes)
    return [fault.pointer for fault in entry.placed(InvalidPayload(*entry.command.faults)).faults]


def key_of(entry: IngressEntry) -> str:
    [claim] = entry.command.keys
    return claim.key


def test_an_envelope_asks_for_a_job_with_its_options() -> None:
    entry = read(
        {"type": "order.paid", "payload": {"order": 7}, "priority": "high", "ttl_s": 5}, Shape.ENVELOPE
    )

    command = entry.command
    assert (command.type, command.payload, command.faults) == ("order.paid", {"order": 7}, ())
    assert command.options == JobOptions(priority=Priority.HIGH, ttl=timedelta(seconds=5))
    assert origin_of(entry) == {"binding": "shop", "shape": "envelope"}


def test_a_cloudevent_carries_its_payload_as_data_and_all_it_says_is_kept() -> None:
    entry = read(CLOUDEVENT, Shape.CLOUDEVENTS)

    assert (entry.command.type, entry.command.payload) == ("order.paid", {"order": 7})
    assert entry.command.faults == ()
    assert origin_of(entry) == {
        "binding": "shop",
        "shape": "cloudevents",
        "id": "1",
        "source": "/shop",
        "traceparent": "00-abc",
        "timestamp": "2026-11-28T09:00:00Z",
    }


def test_an_event_keeps_its_metadata() -> None:
    entry = read(EVENT, Shape.EVENT)

    assert (entry.command.type, entry.command.payload, entry.command.faults) == ("ODDS", {"a": 1}, ())
    assert origin_of(entry)["metadata"] == EVENT["metadata"]
    assert origin_of(entry)["timestamp"] == 17


def test_a_plain_message_has_a_type_and_a_payload_and_nothing_else() -> None:
    entry = read({"type": "EMAIL", "payload": {"to": "ada"}}, Shape.PLAIN)

    assert (entry.command.type, entry.command.payload, entry.command.faults) == ("EMAIL", {"to": "ada"}, ())
    assert places({"type": "EMAIL", "payload": {}, "id": 7}, Shape.PLAIN) == ["/id"]


def test_the_attempt_and_the_time_of_a_call_are_its_senders_own_affair() -> None:
    entry = read(CALL, Shape.CALL, type="call.process", dedup="/call_id")

    assert entry.command.type == "call.process"
    assert entry.command.payload == {"call_id": "c-1", "phone_number": "+431"}
    assert origin_of(entry) == {
        "binding": "shop",
        "shape": "call",
        "attempt": 4,
        "timestamp": "2026-11-28 09:00",
    }


def test_a_whole_body_is_the_payload_as_it_is() -> None:
    entry = read(CALL, Shape.BODY, type="dial")

    assert (entry.command.type, entry.command.payload) == ("dial", CALL)
    assert origin_of(entry)["attempt"] == 4


def test_a_type_is_translated_where_the_binding_knows_the_word() -> None:
    types = {"ODDS": "odds.update"}

    assert read(EVENT, Shape.EVENT, types=types).command.type == "odds.update"
    assert read({**EVENT, "type": "odds"}, Shape.EVENT, types=types).command.type == "odds"
    assert read({"type": "ODDS", "payload": {}}, Shape.ENVELOPE, types=types).command.type == "odds.update"


def test_what_a_message_does_not_say_follows_its_binding() -> None:
    defaults: dict[str, Any] = {"job_queue": "slow", "priority": Priority.LOW, "ttl": timedelta(hours=1)}
    said = {"type": "a", "payload": {}, "queue": "fast", "priority": "high", "ttl_s": 1}

    entry = read({"type": "a", "payload": {}}, Shape.PLAIN, **defaults)
    assert entry.command.options == JobOptions(queue="slow", priority=Priority.LOW, ttl=timedelta(hours=1))

    entry = read(said, Shape.ENVELOPE, **defaults)
    assert entry.command.options == JobOptions(queue="fast", priority=Priority.HIGH, ttl=timedelta(seconds=1))


def test_the_first_key_that_exists_tells_a_message_from_others() -> None:
    by_message = key_of(read(EVENT, Shape.EVENT, message_id="m-1"))
    by_event = key_of(read(EVENT, Shape.EVENT))
    by_pointer = key_of(read(CALL, Shape.BODY, type="a", dedup="/call_id"))

    assert [key.partition(":")[0] for key in (by_message, by_event, by_pointer)] == [
        "message",
        "event",
        "pointer",
    ]
    assert key_of(read(CALL, Shape.BODY, type="a", dedup="/call_id", message_id="m-1")) == by_message
    assert key_of(read(EVENT, Shape.EVENT, message_id="")) == by_event


def test_equal_ids_make_equal_keys_and_different_ones_different_keys() -> None:
    def of(source: str, event_id: str) -> str:
        return key_of(read({**CLOUDEVENT, "source": source, "id": event_id}, Shape.CLOUDEVENTS))

    assert of("/shop", "1") == of("/shop", "1")
    assert len({of("/shop", "1"), of("/shop", "2"), of("/sho", "p1")}) == 3
    number, text = ({**CALL, "call_id": each} for each in (7, "7"))
    assert key_of(read(number, Shape.CALL, type="a", dedup="/call_id")) != key_of(
        read(text, Shape.CALL, type="a", dedup="/call_id")
    )


def test_keys_are_held_for_a_week_in_the_scope_of_their_binding_whatever_the_rest_of_the_message() -> None:
    [claim] = read(CALL, Shape.BODY, type="a", message_id="m" * 255).command.keys

    assert (claim.scope, claim.hold, claim.fingerprint) == ("ingress:shop", timedelta(days=7), "")
    assert len(claim.key) < 255


@pytest.mark.parametrize("body", [{"a": 1}, {"a": 1, "id": None}, {"a": {"id": 1}}])
def test_a_message_without_any_id_has_no_key(body: dict[str, object]) -> None:
    entry = read(body, Shape.BODY, type="a", dedup="/id")

    assert entry.is_keyless
    assert entry.command.faults == ()


def test_an_idempotency_key_of_an_envelope_is_a_key_as_well() -> None:
    assert not read({"type": "a", "payload": {}, "idempotency_key": "k"}, Shape.ENVELOPE).is_keyless


@pytest.mark.parametrize("found", [True, 1.5, [1], {"a": 1}, ""])
def test_what_is_no_id_where_an_id_should_be_is_a_fault(found: object) -> None:
    assert places({"id": found}, Shape.BODY, type="a", dedup="/id") == ["/id"]


def test_a_pointer_is_followed_through_objects_lists_and_escapes() -> None:
    value = {"a/b": {"~": ["x", {"id": 7}]}}

    assert found_at(value, "/a~1b/~0/1/id") == 7
    for nowhere in ("/a", "/a~1b/~0/2", "/a~1b/~0/-1", "/a~1b/~0/x", "/a~1b/~0/0/id"):
        assert found_at(value, nowhere) is None


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"id": ""}, "/id"),
        ({"id": 7}, "/id"),
        ({"source": None}, "/source"),
        ({"type": "x" * 1_025}, "/type"),
        ({"time": "2026-11-28T09:00:00"}, "/time"),
        ({"time": "yesterday"}, "/time"),
        ({"datacontenttype": "text/xml"}, "/datacontenttype"),
        ({"data": None}, "/data"),
        ({"data": None, "data_base64": "eA=="}, "/data_base64"),
        ({"Extension": "x"}, "/Extension"),
        ({"extension": {"a": 1}}, "/extension"),
        ({"extension": 1.5}, "/extension"),
    ],
)
def test_a_wrong_cloudevent_is_refused_at_the_place(changes: dict[str, Any], wrong: str) -> None:
    assert places({**CLOUDEVENT, **changes}, Shape.CLOUDEVENTS) == [wrong]


@pytest.mark.parametrize(
    ("value", "shape", "wrong"),
    [
        ([], Shape.PLAIN, [""]),
        ("x", Shape.CALL, [""]),
        ({}, Shape.PLAIN, ["/type", "/payload"]),
        ({}, Shape.CALL, ["/call_id", "/phone_number"]),
        ({**CALL, "to": 1, "attempt": "4"}, Shape.CALL, ["/to", "/attempt"]),
        ({**CALL, "timestamp": {}}, Shape.CALL, ["/timestamp"]),
        ({**CALL, "attempt": True}, Shape.CALL, ["/attempt"]),
        ({**EVENT, "metadata": {}}, Shape.EVENT, ["/metadata/eventId"]),
        ({**EVENT, "metadata": {"timestamp": 1}}, Shape.EVENT, ["/metadata/eventId"]),
        ({**EVENT, "metadata": {"eventId": ""}}, Shape.EVENT, ["/metadata/eventId"]),
        ({**EVENT, "metadata": {"eventId": True}}, Shape.EVENT, ["/metadata/eventId"]),
        ({**EVENT, "metadata": 1, "more": 1}, Shape.EVENT, ["/more", "/metadata"]),
        ({**EVENT, "metadata": {"eventId": 1, "x": "y" * 5_000}}, Shape.EVENT, [""]),
        ({"type": "a", "payload": {}, "nope": 1}, Shape.ENVELOPE, ["/nope"]),
    ],
)
def test_every_fault_of_a_message_is_told_at_its_place(value: object, shape: Shape, wrong: list[str]) -> None:
    assert places(value, shape, type="a" if shape is Shape.CALL else None) == wrong


def test_faults_of_a_payload_stand_where_the_sender_wrote_it() -> None:
    refusal = InvalidPayload(Fault(pointer="/payload/order", detail="is required"))

    told = [read(CLOUDEVENT, Shape.CLOUDEVENTS), read(CALL, Shape.CALL, type="a"), read(EVENT, Shape.EVENT)]

    assert [entry.placed(refusal).faults[0].pointer for entry in told] == [
        "/data/order",
        "/order",
        "/payload/order",
    ]


def test_what_is_no_json_or_too_long_is_not_read_at_all() -> None:
    with pytest.raises(MalformedJson):
        read_ingress(b"\xff", message_id=None, binding=binding(Shape.PLAIN))
    with pytest.raises(TooLarge, match="16,384"):
        read_ingress(b" " * (BODY_BYTES_MAX + 1), message_id=None, binding=binding(Shape.PLAIN))
