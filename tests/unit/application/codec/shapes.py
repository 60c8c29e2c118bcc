"""Payload classes of every kind, and how to make values of them."""

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Generic, Literal, NotRequired, Required, TypedDict, TypeVar
from uuid import UUID

import msgspec
from attrs import field, frozen
from hypothesis import strategies as st

T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Line(TypedDict, total=False):
    text: Required[str]
    size: int


class Note(TypedDict):
    at: datetime
    lines: list[Line]
    author: NotRequired[str | None]


class Cat(msgspec.Struct, tag="cat"):
    lives: Annotated[int, msgspec.Meta(ge=0, le=9)] = 9


class Dog(msgspec.Struct, tag="dog"):
    tricks: tuple[str, ...] = ()


class Owner(msgspec.Struct, rename="camel", frozen=True):
    first_name: str
    pets: list[Cat | Dog] = msgspec.field(default_factory=list)
    best_friend: "Owner | None" = None
    phone: str | msgspec.UnsetType = msgspec.UNSET


class Box(msgspec.Struct, Generic[T]):
    held: T


@frozen
class Secret:
    _code: int
    label: str = field(alias="name", default="x")
    length: int = field(init=False, default=3)


@dataclass
class Spot:
    x: float
    colour: Colour = Colour.RED
    tally: dict[Colour, int] = dataclass_field(default_factory=dict)


@frozen
class Everything:
    owner: Owner
    note: Note
    secret: Secret
    spots: list[Spot]
    boxes: dict[str, Box[int]]
    days: frozenset[date]
    ids: set[UUID]
    level: Level | None = None
    price: Decimal = Decimal(0)
    wait: timedelta = timedelta(0)
    either: int | str | list[bool] | None = None
    size: Literal["s", "m", 3] = "s"


integers, words = (
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
times = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=30))]))
lines = st.fixed_dictionaries({"text": words}, optional={"size": integers})
notes = st.fixed_dictionaries(
    {"at": times, "lines": st.lists(lines, max_size=2)}, optional={"author": st.none() | words}
)
pets = st.builds(Cat, st.integers(0, 9)) | st.builds(Dog, st.lists(words, max_size=2).map(tuple))
owners = st.recursive(
    st.builds(Owner, words, st.lists(pets, max_size=2)),
    lambda inner: st.builds(Owner, words, st.lists(pets, max_size=1), inner, words | st.just(msgspec.UNSET)),
    max_leaves=3,
)
secrets = st.builds(lambda code, name: Secret(code=code, name=name), integers, words)
spots = st.builds(
    Spot,
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(Colour),
    st.dictionaries(st.sampled_from(Colour), integers, max_size=2),
)
everything = st.builds(
    Everything,
    owner=owners,
    note=notes,
    secret=secrets,
    spots=st.lists(spots, max_size=2),
    boxes=st.dictionaries(words, st.builds(Box, integers), max_size=2),
    days=st.frozensets(st.dates(), max_size=3),
    ids=st.sets(st.uuids(), max_size=3),
    level=st.none() | st.sampled_from(Level),
    price=st.decimals(allow_nan=False, allow_infinity=False),
    wait=st.timedeltas(timedelta(days=-5), timedelta(days=5)),
    either=st.none() | integers | words | st.lists(st.booleans(), max_size=2),
    size=st.sampled_from(["s", "m", 3]),
)
