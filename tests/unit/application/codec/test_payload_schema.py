"""Payloads: checked strictly at the door, structured for the handler, and never bent to fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import msgspec
import pytest
from attrs import field, frozen, validators
from hypothesis import given
from hypothesis import strategies as st

from jobmill.application.codec.payload_schema import PayloadSchema, UnencodableResult, write_result
from jobmill.application.errors import InvalidPayload


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@frozen
class Address:
    street: str
    number: int = 1


@frozen
class Order:
    text: str
    count: int
    share: float
    paid: bool
    at: datetime
    day: date
    id: UUID
    colour: Colour
    size: Literal["s", "m"]
    to: Address
    others: list[Address]
    tags: tuple[str, ...]
    marks: frozenset[int]
    notes: dict[str, int]
    anything: Any
    note: str | None = None
    age: int = field(default=1, validator=validators.ge(0))


@dataclass
class Point:
    x: int
    y: int = 0


RIGHT: dict[str, Any] = {
    "text": "a",
    "count": 3,
    "share": 0.5,
    "paid": True,
    "at": "2030-01-31T08:00:00Z",
    "day": "2030-01-31",
    "id": "00000000-0000-7000-8000-000000000000",
    "colour": "red",
    "size": "m",
    "to": {"street": "b"},
    "others": [{"street": "c", "number": 2}],
    "tags": ["x", "y"],
    "marks": [1, 2],
    "notes": {"n": 1},
    "anything": {"deep": [1, None]},
}
ORDER = PayloadSchema(Order)


def faults_of(schema: PayloadSchema[Any], value: object) -> dict[str, str]:
    with pytest.raises(InvalidPayload) as refused:
        schema.structure(value)
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def test_a_payload_becomes_the_class_that_the_handler_asked_for() -> None:
    order = ORDER.structure(RIGHT)

    assert order == Order(
        text="a",
        count=3,
        share=0.5,
        paid=True,
        at=datetime(2030, 1, 31, 8, tzinfo=UTC),
        day=date(2030, 1, 31),
        id=UUID("00000000-0000-7000-8000-000000000000"),
        colour=Colour.RED,
        size="m",
        to=Address("b"),
        others=[Address("c", 2)],
        tags=("x", "y"),
        marks=frozenset({1, 2}),
        notes={"n": 1},
        anything={"deep": [1, None]},
    )


def test_the_text_of_a_stored_job_is_read_like_the_payload_at_the_door() -> None:
    assert ORDER.read(msgspec.json.encode(RIGHT).decode()) == ORDER.structure(RIGHT)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("text", 1),
        ("text", None),
        ("count", "3"),
        ("count", 3.5),
        ("count", True),
        ("share", "0.5"),
        ("share", False),
        ("paid", 1),
        ("paid", "true"),
        ("at", "2030-01-31T08:00:00"),
        ("at", "2030-01-31"),
        ("at", 1_893_484_800),
        ("day", "31.1.2030"),
        ("id", "7"),
        ("colour", "RED"),
        ("colour", True),
        ("size", "xl"),
        ("to", []),
        ("to", None),
        ("to", "street"),
        ("others", [None]),
        ("others", {}),
        ("others", "ab"),
        ("tags", "xy"),
        ("marks", {"1": 1}),
        ("notes", [["n", 1]]),
        ("note", 1),
        ("age", -1),
    ],
)
def test_a_value_of_another_kind_is_refused_where_it_stands(name: str, wrong: object) -> None:
    faults = faults_of(ORDER, RIGHT | {name: wrong})

    place = "/payload/others/0" if wrong == [None] else f"/payload/{name}"
    assert list(faults) == [place]
    assert all(faults.values())


def test_faults_deep_inside_are_named_by_their_place() -> None:
    wrong = RIGHT | {"others": [{"street": "a"}, {"street": 1, "x/y": 2}], "notes": {"a": 1, "b": "2"}}

    assert set(faults_of(ORDER, wrong)) == {
        "/payload/others/1/street",
        "/payload/others/1/x~1y",
        "/payload/notes/b",
    }


def test_all_faults_are_told_at_once() -> None:
    faults = faults_of(ORDER, {"text": 1, "count": "2", "unknown": 3})

    assert faults["/payload/text"] == "must be a text, not an integer"
    assert faults["/payload/count"] == "must be an integer, not a text"
    assert faults["/payload/unknown"] == "unknown field"
    assert faults["/payload/id"] == "is required"
    assert len(faults) == len(RIGHT) + 1


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_a_payload_is_an_object(value: object) -> None:
    assert faults_of(ORDER, value) == {"/payload": "must be an object"}
    assert faults_of(PayloadSchema(dict), value) == {"/payload": "must be an object"}


@given(
    st.dictionaries(
        st.text(max_size=5), st.integers() | st.lists(st.text(max_size=3), max_size=3), max_size=4
    )
)
def test_a_plain_dict_is_handed_over_as_it_is(value: dict[str, object]) -> None:
    assert PayloadSchema(dict).structure(value) == value


def test_a_dataclass_does_as_well() -> None:
    schema = PayloadSchema(Point)

    assert schema.structure({"x": 1}) == Point(1)
    assert set(faults_of(schema, {"y": "1"})) == {"/payload/x", "/payload/y"}


@pytest.mark.parametrize(
    "model", [Order, Point, dict, dict[str, int], dict[str, object], Mapping[str, object]]
)
def test_every_model_has_a_json_schema(model: type[Any]) -> None:
    schema = PayloadSchema(model)

    assert isinstance(schema.json_schema, dict)
    msgspec.json.encode([schema.json_schema, schema.components])


def test_the_json_schema_allows_no_unknown_fields_either() -> None:
    classes = [each for each in ORDER.components.values() if isinstance(each, dict) and "properties" in each]
    assert len(classes) == 2
    assert all(each["additionalProperties"] is False for each in classes)


def test_a_stored_payload_that_this_code_cannot_read_is_an_invalid_one() -> None:
    with pytest.raises(InvalidPayload):
        ORDER.read('{"text":"an older release wrote this"}')


@pytest.mark.parametrize("text", ["", "{", "'", "\ud800"])
def test_a_stored_payload_that_is_no_json_is_refused_like_one_that_does_not_fit(text: str) -> None:
    with pytest.raises(InvalidPayload, match="/payload: is no JSON"):
        ORDER.read(text)


def test_no_result_is_no_result() -> None:
    assert write_result(None, limit_bytes=10) is None


@given(st.dictionaries(st.text(max_size=3).filter(str.isprintable), st.integers(-5, 5), max_size=3))
def test_a_result_is_kept_as_json(value: dict[str, int]) -> None:
    text = write_result(value, limit_bytes=1_000)

    assert text is not None
    assert msgspec.json.decode(text) == value


@pytest.mark.parametrize("value", [object(), {"a": object()}, "\ud800", {(1, 2): 3}, [2**80, object()]])
def test_a_result_that_is_no_json_is_told_so(value: object) -> None:
    with pytest.raises(UnencodableResult, match="no JSON"):
        write_result(value, limit_bytes=1_000)


def test_a_result_that_holds_itself_is_told_so() -> None:
    ring: list[object] = []
    ring.append(ring)

    with pytest.raises(UnencodableResult, match="no JSON"):
        write_result(ring, limit_bytes=1_000)


def test_a_result_is_measured_in_bytes() -> None:
    assert write_result("€", limit_bytes=5) == '"€"'
    with pytest.raises(UnencodableResult, match="too large"):
        write_result("€", limit_bytes=4)
