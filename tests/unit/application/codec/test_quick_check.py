"""What surely fits is taken by the strict rule too; whoever is not sure leaves it to the rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any, Literal, Self
from uuid import UUID

import msgspec
import pytest
from attrs import Factory, define, field, frozen, validators
from hypothesis import given
from hypothesis import strategies as st

from jobmill.application.codec.payload_schema import PayloadSchema, read_payload
from jobmill.application.codec.quick_check import quick_check, quick_reader
from jobmill.application.codec.strict_json import write_json
from jobmill.application.errors import InvalidPayload


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Size:
    width: int
    height: float = 1
    notes: list[str] = dataclass_field(default_factory=list)


@frozen
class Order:
    text: str
    size: Size | None
    sizes: list[Size]
    paid: bool = False
    id: UUID | None = None
    colour: Colour = Colour.RED
    mode: Literal["s", "m"] = "s"
    counts: dict[str, int] = Factory(dict)
    more: Mapping[str, object] = Factory(dict)
    rest: tuple[float, ...] = ()
    anything: Any = None


SCHEMA = PayloadSchema(Order)
CHECK = quick_check(Order)
RIGHT: dict[str, Any] = {
    "text": "é",
    "size": {"width": 1},
    "sizes": [{"width": 2**70, "height": 2, "notes": ["x"]}],
    "paid": True,
    "id": "00000000-0000-7000-8000-000000000000",
    "colour": "blue",
    "mode": "m",
    "counts": {"a": 1},
    "more": {"b": [None]},
    "rest": [1, 2.5],
    "anything": {"c": 1},
}
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.sampled_from(["", "x", "red", "RED", "m", "1", RIGHT["id"]]) | st.text(max_size=3)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES | WORDS | st.integers(2**60, 2**70),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["width", "height", "notes", "a", "é"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from([*RIGHT, "unknown"]), VALUES, max_size=2),
    st.sets(st.sampled_from(list(RIGHT))),
)
def test_what_surely_fits_is_taken_by_the_rule(wrong: dict[str, Any], left_out: set[str]) -> None:
    assert CHECK is not None
    payload = {name: value for name, value in RIGHT.items() if name not in left_out} | wrong

    if CHECK(payload):
        SCHEMA.structure(payload)


def test_a_right_payload_surely_fits() -> None:
    assert CHECK is not None
    assert CHECK(RIGHT)
    assert CHECK({name: RIGHT[name] for name in ("text", "size", "sizes")})
    assert SCHEMA.structure(RIGHT).sizes == [Size(2**70, 2.0, ["x"])]


@pytest.mark.parametrize("name", ["text", "size", "sizes"])
def test_a_payload_without_a_field_that_it_needs_is_left_to_the_rule(name: str) -> None:
    assert CHECK is not None
    assert not CHECK({each: value for each, value in RIGHT.items() if each != name})


def test_a_check_tells_the_faults_that_the_rule_tells() -> None:
    wrong = RIGHT | {"text": 1, "unknown": 2}

    with pytest.raises(InvalidPayload) as by_rule:
        SCHEMA.structure(wrong)
    with pytest.raises(InvalidPayload) as by_check:
        SCHEMA.check(wrong)
    assert by_check.value.faults == by_rule.value.faults


@frozen
class Validated:
    x: int = field(validator=validators.ge(0))


@frozen
class Converted:
    x: int = field(converter=int)


@frozen
class Private:
    _x: int


@frozen
class Hidden:
    x: int
    y: int = field(init=False, default=1)


@frozen
class LooksAfterwards:
    x: int

    def __attrs_post_init__(self) -> None:
        raise ValueError


@define
class OwnInit:
    x: int

    def __init__(self, x: int) -> None:
        raise ValueError


@define
class OwnSetattr:
    x: int

    def __setattr__(self, name: str, value: object) -> None:
        raise ValueError


@frozen
class OwnNew:
    x: int

    def __new__(cls, x: int) -> Self:
        raise ValueError


@dataclass
class DataAfterwards:
    x: int

    def __post_init__(self) -> None:
        raise ValueError


@dataclass
class DataSetattr:
    x: int

    def __setattr__(self, name: str, value: object) -> None:
        raise ValueError


@frozen
class Outer:
    inner: Validated


@frozen
class Chain:
    next: "Chain | None"


class Level(IntEnum):
    LOW = 1


@frozen
class Levelled:
    x: Level


@frozen
class Timed:
    at: datetime


class Shape(msgspec.Struct):
    x: int


@pytest.mark.parametrize(
    "model",
    [
        Validated, Converted, Private, Hidden, LooksAfterwards, OwnInit, OwnSetattr, OwnNew, DataAfterwards,
        DataSetattr, Outer, Chain, Levelled, Timed, Shape,
    ],
)  # fmt: skip
def test_a_class_that_has_its_own_say_is_left_to_the_rule(model: type[Any]) -> None:
    assert quick_check(model) is None


def _fails() -> int:
    raise ValueError


def test_a_default_that_may_fail_is_left_to_the_rule() -> None:
    @frozen
    class Made:
        x: int = Factory(_fails)

    @dataclass
    class DataMade:
        x: int = dataclass_field(default_factory=_fails)

    for model in (Made, DataMade):
        check = quick_check(model)
        assert check is not None
        assert check({"x": 1})
        assert not check({})


@given(
    st.dictionaries(st.sampled_from([*RIGHT, "unknown"]), VALUES, max_size=2),
    st.sets(st.sampled_from(list(RIGHT))),
)
def test_what_is_read_quickly_is_what_the_rule_makes(wrong: dict[str, Any], left_out: set[str]) -> None:
    read = quick_reader(Order)
    assert read is not None
    payload = {name: value for name, value in RIGHT.items() if name not in left_out} | wrong
    text = write_json(payload)

    made = read(text)

    if made is not None:
        by_rule = SCHEMA.structure(read_payload(text))
        assert made == by_rule
        assert repr(made) == repr(by_rule), "an integer where a number is meant is a float, and so on"


def test_a_right_payload_is_read_quickly() -> None:
    read = quick_reader(Order)
    assert read is not None
    assert read(write_json(RIGHT)) == SCHEMA.structure(RIGHT)
    assert read(write_json(RIGHT | {"unknown": 1})) is None
    assert read("{") is None
