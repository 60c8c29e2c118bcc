"""Every class that a payload may be made of: read strictly, written back to the same value, described."""

# ruff: noqa: ANN401 - classes of all kinds come and go here

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
import pytest
from attrs import asdict, frozen
from hypothesis import given

from jobmill.application.codec.payload_schema import PayloadSchema
from jobmill.application.codec.strict_json import read_json, write_json
from jobmill.application.errors import InvalidPayload

from tests.unit.application.codec.shapes import (
    Box,
    Cat,
    Dog,
    Everything,
    Line,
    Note,
    Owner,
    everything,
    notes,
)

EVERY = PayloadSchema(Everything)


def faults_of(model: Any, value: object) -> dict[str, str]:
    with pytest.raises(InvalidPayload) as refused:
        PayloadSchema(model).structure(value)
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def dump_faults(payload: Any, model: Any = None) -> dict[str, str]:
    with pytest.raises(InvalidPayload) as refused:
        PayloadSchema(model or type(payload)).dump(payload)
    return {fault.pointer: fault.detail for fault in refused.value.faults}


@given(everything)
def test_what_is_dumped_is_read_back_as_the_same_value(payload: Everything) -> None:
    assert EVERY.structure(EVERY.dump(payload)) == payload


@given(everything)
def test_what_is_dumped_is_json_as_the_door_takes_it(payload: Everything) -> None:
    text = write_json(EVERY.dump(payload))

    assert EVERY.read(text) == payload


@given(notes)
def test_a_typed_dict_is_read_back_as_well(note: Any) -> None:
    schema: PayloadSchema[Any] = PayloadSchema(Note)

    assert schema.structure(schema.dump(note)) == note


def test_equal_sets_are_equal_requests() -> None:
    days = [date(2030, 1, day) for day in range(1, 20)]

    dumps = [PayloadSchema(Box[set[date]]).dump(Box(set(order))) for order in (days, days[::-1])]

    assert dumps[0] == dumps[1] == {"held": sorted(map(str, days))}


def test_a_struct_is_read_by_its_encoded_names() -> None:
    read = PayloadSchema(Owner).structure({"firstName": "Ada", "pets": [{"type": "dog", "tricks": ["sit"]}]})

    assert read == Owner("Ada", [Dog(("sit",))])


def test_all_faults_of_a_struct_are_told_at_once() -> None:
    wrong = {"pets": [{"type": "cat", "lives": "9"}, {"type": "fish"}, {}], "first_name": "Ada", "phone": 1}

    assert faults_of(Owner, wrong) == {
        "/payload/firstName": "is required",
        "/payload/first_name": "unknown field",
        "/payload/pets/0/lives": "must be an integer, not a text",
        "/payload/pets/1": "must have 'type', one of 'cat', 'dog'",
        "/payload/pets/2": "must have 'type', one of 'cat', 'dog'",
        "/payload/phone": "must be a text, not an integer",
    }


def test_all_faults_of_a_typed_dict_are_told_at_once() -> None:
    wrong = {"lines": [{"size": "1"}, {"text": "a", "more": 1}, []], "author": 1, "extra": None}

    assert faults_of(Note, wrong) == {
        "/payload/at": "is required",
        "/payload/author": "must be a text, not an integer",
        "/payload/extra": "unknown field",
        "/payload/lines/0/size": "must be an integer, not a text",
        "/payload/lines/0/text": "is required",
        "/payload/lines/1/more": "unknown field",
        "/payload/lines/2": "must be an object, not a list",
    }


def test_what_may_be_left_out_of_a_typed_dict_stays_out() -> None:
    note = {"at": "2030-01-31T08:00:00Z", "lines": [{"text": "a"}]}

    read: Any = PayloadSchema(Note).structure(note)

    assert read == {"at": datetime(2030, 1, 31, 8, tzinfo=UTC), "lines": [{"text": "a"}]}


def test_the_tag_of_a_struct_that_stands_alone_is_required_too() -> None:
    assert faults_of(Cat, {"lives": 1}) == {"/payload/type": "is required"}
    assert faults_of(Cat, {"type": "dog"}) == {"/payload/type": "must be 'cat'"}


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    [
        (Annotated[int, msgspec.Meta(ge=1)], 0, 1),
        (Annotated[int, msgspec.Meta(gt=1)], 1, 2),
        (Annotated[float, msgspec.Meta(le=1)], 1.5, 1.0),
        (Annotated[float, msgspec.Meta(lt=1)], 1.0, 0.5),
        (Annotated[int, msgspec.Meta(multiple_of=5)], 6, 10),
        (Annotated[str, msgspec.Meta(pattern="^a")], "ba", "ab"),
        (Annotated[str, msgspec.Meta(min_length=2)], "a", "ab"),
        (Annotated[list[int], msgspec.Meta(max_length=1)], [1, 2], [1]),
    ],
)
def test_the_constraints_of_an_annotation_hold(rule: Any, wrong: object, right: object) -> None:
    box: Any = Box[rule]

    assert list(faults_of(box, {"held": wrong})) == ["/payload/held"]
    assert PayloadSchema(box).structure({"held": right}) == Box(right)


def test_a_union_takes_its_members_and_nothing_else() -> None:
    box: Any = Box[int | str | None]

    assert faults_of(box, {"held": []}) == {
        "/payload/held": "must be an integer or a text or null, not a list"
    }
    assert faults_of(box, {"held": True}) != {}
    assert [PayloadSchema(box).structure({"held": each}).held for each in (1, "1", None)] == [1, "1", None]


class AsList(msgspec.Struct, array_like=True):
    x: int


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (str | date, "two members that are a text"),
        (Cat | Note, "two members that are an object"),
        (Box[int] | Owner, "give each a tag"),
        (dict[int, str], r"use dict\[str"),
        (AsList, "array_like"),
    ],
)
def test_what_json_cannot_tell_is_refused_at_the_declaration(kind: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        PayloadSchema(Box[kind])


@pytest.mark.parametrize("model", [int, list[int], Any, Cat | Dog, None])
def test_what_is_no_object_is_no_payload_class(model: Any) -> None:
    with pytest.raises(TypeError, match="no class for a JSON object"):
        PayloadSchema(model)


def test_another_object_than_the_class_asks_for_is_refused() -> None:
    assert dump_faults(Cat(), Dog) == {"/payload": "must be a Dog, not a Cat"}
    assert dump_faults([], dict) == {"/payload": "must be a dict, not a list"}
    some_map: Any = Mapping[str, int]
    assert PayloadSchema(some_map).dump({"a": 1}) == {"a": 1}


@pytest.mark.parametrize(
    ("held", "pointer"),
    [
        ({"a": [1, object()]}, "/payload/held/a/1"),
        ([float("nan")], "/payload/held/0"),
        (2**64, "/payload/held"),
        ({"x/y": "\ud800"}, "/payload/held/x~1y"),
        ({1: 2}, "/payload/held"),
        (1j, "/payload/held"),
    ],
)
def test_what_json_cannot_carry_is_named_by_its_place(held: object, pointer: str) -> None:
    faults = dump_faults(Box(held), Box[Any])

    assert list(faults) == [pointer]


def test_what_holds_itself_is_refused() -> None:
    ring: list[object] = []
    ring.append(ring)

    assert len(dump_faults(Box(ring), Box[Any])) == 1


def test_a_payload_that_breaks_the_rules_of_its_own_class_is_not_dumped() -> None:
    assert list(dump_faults(Cat(lives=10))) == ["/payload/lives"]
    assert list(dump_faults(Box(datetime(2030, 1, 1)), Box[datetime])) == ["/payload/held"]  # noqa: DTZ001


@pytest.mark.parametrize("model", [Owner, Note, Line, Everything, Box[int], Cat, dict[str, Note]])
def test_every_class_has_a_json_schema_without_unknown_fields(model: Any) -> None:
    schema: PayloadSchema[Any] = PayloadSchema(model)

    described = read_json(write_json([schema.json_schema, schema.components]).encode())
    assert described
    objects = [each for each in schema.components.values() if isinstance(each, dict) and "properties" in each]
    assert all(each["additionalProperties"] is False for each in objects)


@frozen
class _Flat:
    text: str = ""
    number: int = 0


@frozen
class _Sloped(_Flat):
    fraction: float = 0.5


@pytest.mark.parametrize("value", [_Flat(), _Flat(text="plain", number=2**63), _Flat(text="né"), _Sloped()])
def test_fields_that_are_plain_stay_what_they_are(value: _Flat) -> None:
    assert PayloadSchema(type(value)).dump(value) == asdict(value)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (_Flat(text="\ud800"), "/payload/text"),
        (_Flat(number=2**64), "/payload/number"),
        (_Flat(number=-(2**63) - 1), "/payload/number"),
        (_Sloped(fraction=float("nan")), "/payload/fraction"),
    ],
)
def test_a_field_that_json_cannot_carry_is_refused_at_its_place(value: _Flat, place: str) -> None:
    assert list(dump_faults(value)) == [place]


@given(everything)
def test_a_text_is_read_as_its_values_are(value: Everything) -> None:
    text = write_json(EVERY.dump(value))

    assert EVERY.read(text) == EVERY.structure(msgspec.json.decode(text))
