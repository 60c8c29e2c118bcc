"""A stored schema refuses what the class it was made from refuses, at the same places."""

import json
from datetime import datetime
from typing import Any, Literal

import pytest
from attrs import frozen
from hypothesis import given

from jobmill.application.codec.payload_schema import PayloadSchema
from jobmill.application.codec.stored_schema import StoredSchema, schema_hash
from jobmill.application.errors import InvalidPayload

from tests.fuzz.strategies import changed
from tests.unit.application.codec.shapes import Everything, Note, Owner, everything


def stored(model: Any) -> StoredSchema:  # noqa: ANN401 - classes of all kinds
    """As it comes back from the store."""
    own: PayloadSchema[Any] = PayloadSchema(model)
    schema, components = json.loads(json.dumps([own.json_schema, own.components]))
    return StoredSchema(schema, components)


def faults_of(schema: StoredSchema | PayloadSchema[Any], value: object) -> dict[str, str]:
    try:
        schema.structure(value)
    except InvalidPayload as refusal:
        return {fault.pointer: fault.detail for fault in refusal.faults}
    return {}


EVERY, OWNER, NOTE = stored(Everything), stored(Owner), stored(Note)


@given(everything)
def test_what_the_class_writes_is_taken(payload: Everything) -> None:
    assert faults_of(EVERY, PayloadSchema(Everything).dump(payload)) == {}


RIGHT_OWNERS = (
    {"firstName": "Ada", "pets": [{"type": "cat", "lives": 9}, {"type": "dog", "tricks": ["sit"]}]},
    {"firstName": "Bob", "bestFriend": {"firstName": "Eve", "phone": "1"}},
)
RIGHT_NOTES = (
    {"at": "2030-01-31T08:00:00Z", "lines": [{"text": "a", "size": 1}, {"text": "b"}], "author": None},
    {"at": "2030-01-31T08:00:00+01:00", "lines": [], "author": "Ada"},
)


@pytest.mark.parametrize(("model", "right"), [(Owner, RIGHT_OWNERS), (Note, RIGHT_NOTES)])
def test_whatever_is_changed_both_take_it_or_both_refuse_it(model: Any, right: tuple[Any, ...]) -> None:  # noqa: ANN401
    own, other = PayloadSchema(model), stored(model)

    @given(changed(right))
    def check(value: object) -> None:
        assert bool(faults_of(own, value)) == bool(faults_of(other, value))

    check()


@frozen
class Plain:
    count: int
    share: float
    at: datetime
    size: Literal["s", "m"]
    tags: list[str]
    note: str | None = None


RIGHT: dict[str, Any] = {"count": 30.0, "share": 1, "at": "2030-01-31T08:00:00Z", "size": "s", "tags": []}


def test_all_faults_are_told_at_their_places() -> None:
    wrong = {
        "count": "3",
        "share": True,
        "at": "2030-01-31T08:00:00",
        "size": "l",
        "tags": ["a", 1],
        "x/y": 1,
        "note": 1,
    }

    assert faults_of(stored(Plain), wrong) == {
        "/payload/count": "must be an integer, not a text",
        "/payload/share": "must be a number, not true or false",
        "/payload/at": "must be a time with its zone, as in 2030-01-31T08:00:00Z",
        "/payload/size": "must be one of 'm', 's'",
        "/payload/tags/1": "must be a text, not an integer",
        "/payload/x~1y": "unknown field",
        "/payload/note": "must be a text or null, not an integer",
    }


def test_missing_fields_are_each_named() -> None:
    assert faults_of(stored(Plain), {}) == dict.fromkeys(
        ("/payload/count", "/payload/share", "/payload/at", "/payload/size", "/payload/tags"), "is required"
    )


def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    assert faults_of(stored(Plain), RIGHT) == {}
    assert list(faults_of(stored(Plain), RIGHT | {"count": 30.5})) == ["/payload/count"]


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_a_payload_is_an_object(value: object) -> None:
    assert faults_of(stored(dict), value) == {"/payload": "must be an object"}


def test_faults_inside_of_the_meant_member_of_a_union_are_told() -> None:
    wrong = {"firstName": "Ada", "pets": [{"type": "cat", "lives": 10}], "bestFriend": {"firstName": 1}}

    assert faults_of(OWNER, wrong) == {
        "/payload/pets/0/lives": "must fit maximum 9",
        "/payload/bestFriend/firstName": "must be a text, not an integer",
    }


def test_equal_schemas_have_one_hash_and_a_version_makes_another() -> None:
    own = PayloadSchema(Plain)
    facts: dict[str, Any] = {"schema": own.json_schema, "components": own.components}

    assert schema_hash(version=1, **facts) == schema_hash(version=1, **json.loads(json.dumps(facts)))
    assert schema_hash(version=1, **facts) != schema_hash(version=2, **facts)
